// The frame of Elements that ask for a bank account or a bank: an IBAN, an Australian account, the bank of iDEAL …
'use strict';

const BANKS = {
  idealBank: [
    'ideal',
    'abn_amro asn_bank bunq handelsbanken ing knab moneyou n26 nn rabobank regiobank revolut sns_bank triodos_bank' +
      ' van_lanschot yoursafe',
  ],
  epsBank: [
    'eps',
    'arzte_und_apotheker_bank bank_austria bawag_psk_ag easybank_ag erste_bank_und_sparkassen raiffeisen_bankengruppe' +
      '_osterreich schoellerbank_ag sparda_bank_wien volksbank_gruppe',
  ],
  p24Bank: [
    'p24',
    'alior_bank bank_millennium blik citi_handlowy credit_agricole getin_bank ing inteligo mbank_mtransfer' +
      ' pbac_z_ipko santander_przelew24 tmobile_usbugi_bankowe volkswagen_bank',
  ],
  fpxBank: [
    'fpx',
    'affin_bank alliance_bank ambank bank_islam bsn cimb hsbc maybank2u ocbc rhb standard_chartered uob',
  ],
};
const kind = given.kind;
const root = document.getElementById('root');
const icon = node('span', { class: 'Icon', hidden: true, 'aria-hidden': 'true' });
const compact = (input) => input.value.replace(/[\s-]/g, '').toUpperCase();

function line(name, label, more = {}) {
  return node('input', {
    class: 'InputElement is-empty',
    name,
    type: 'text',
    'aria-label': say(label),
    'aria-invalid': 'false',
    autocomplete: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    'data-elements-stable-field-name': name,
    ...more,
  });
}

/** Whether the check digits of an IBAN are right (ISO 13616). */
function validIban(iban) {
  const turned = iban.slice(4) + iban.slice(0, 4);
  const number = [...turned].map((letter) => parseInt(letter, 36)).join('');
  let rest = 0;
  for (const digit of number) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

const wrong = (code, message) => ({ type: 'validation_error', code, message: say(message) });

const KINDS = {
  iban: () => {
    const iban = line('iban', 'IBAN', { placeholder: 'IBAN', maxlength: 42 });
    return {
      inputs: [iban],
      problem() {
        if (compact(iban).length < 15) return wrong('incomplete_iban', 'Your IBAN is incomplete.');
        return validIban(compact(iban)) ? null : wrong('invalid_iban', 'Your IBAN is invalid.');
      },
      values: () => ({
        method: { type: 'sepa_debit', sepa_debit: { iban: compact(iban) } },
        token: { bank_account: { account_number: compact(iban), country: compact(iban).slice(0, 2) } },
      }),
      more: () => ({ country: compact(iban).slice(0, 2), bankName: '' }),
    };
  },
  auBankAccount: () => {
    const bsb = line('bsb', 'BSB', { placeholder: 'BSB', inputmode: 'numeric', maxlength: 7 });
    const number = line('accountNumber', 'Account number', {
      placeholder: say('Account number'),
      inputmode: 'numeric',
      maxlength: 9,
    });
    return {
      inputs: [bsb, number],
      problem() {
        if (compact(bsb).length < 6) return wrong('incomplete_au_bank_account_bsb', 'Your BSB is incomplete.');
        return compact(number).length < 5
          ? wrong('incomplete_account_number', 'Your account number is incomplete.')
          : null;
      },
      values: () => ({
        method: { type: 'au_becs_debit', au_becs_debit: { bsb_number: compact(bsb), account_number: compact(number) } },
      }),
      more: () => ({ bankName: '', branchName: '' }),
    };
  },
  bank: () => {
    const [type, names] = BANKS[kind];
    const choices = names.split(' ').map((name) => node('option', { value: name }, name.replaceAll('_', ' ')));
    const bank = node('select', { class: 'InputElement is-empty', name: 'bank', 'aria-label': say('Bank') });
    bank.append(node('option', { value: '' }, say('Select bank')), ...choices);
    return {
      inputs: [bank],
      problem: () => (bank.value ? null : wrong('incomplete_bank', 'Your bank is not selected.')),
      values: () => ({ method: { type, [type]: { bank: bank.value } } }),
      more: () => ({ value: bank.value }),
    };
  },
};
const part = (BANKS[kind] ? KINDS.bank : KINDS[kind] || KINDS.iban)();
const row = node('div', { class: 'Row' }, icon, ...part.inputs);
root.append(row);

function changed() {
  const empty = part.inputs.every((input) => !input.value);
  const found = part.problem();
  for (const input of part.inputs) {
    input.classList.toggle('is-empty', !input.value);
    input.classList.toggle('is-complete', !found);
  }
  const shown = found && !found.code.startsWith('incomplete') ? found : undefined;
  tell('change', { empty, complete: !found, error: shown, ...part.more() });
}

function values() {
  const error = part.problem();
  return error ? { error } : part.values();
}

for (const input of part.inputs) input.addEventListener('input', changed);
Object.defineProperty(window, 'tollkeyFields', { value: { values } });
let ready = false;
begin({
  options({ options }) {
    styleFields(options.style);
    for (const input of part.inputs) input.disabled = Boolean(options.disabled);
    if (!ready) tell('ready');
    ready = true;
  },
  focus: () => part.inputs[0].focus(),
  blur: () => document.activeElement.blur(),
  clear: () => {
    for (const input of part.inputs) input.value = '';
    changed();
  },
});
tellKeys();
tellSize(row);
