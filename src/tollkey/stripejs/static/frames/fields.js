// The fields of a card: what they accept, how they show it, and what is wrong with it.
'use strict';

const BRANDS = [
  ['amex', /^3[47]/, [15], 4],
  ['diners', /^3(0[0-5]|09|[68])/, [14], 3],
  ['jcb', /^35(2[89]|[3-8])/, [16], 3],
  ['unionpay', /^(62|81)/, [16, 17, 18, 19], 3],
  ['discover', /^(6011|64[4-9]|65)/, [16], 3],
  ['mastercard', /^(5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720))/, [16], 3],
  ['visa', /^4/, [16], 3],
];

function brandOf(number) {
  const [name = 'unknown', , lengths = [16], code = 3] = BRANDS.find(([, begins]) => begins.test(number)) || [];
  return { name, lengths, code };
}

const digits = (text) => text.replace(/\D/g, '');

/** Whether the last digit is right (ISO/IEC 7812). */
function checksum(number) {
  const sum = [...number].reverse().reduce((total, digit, place) => {
    const twice = Number(digit) * (place % 2 ? 2 : 1);
    return total + (twice > 9 ? twice - 9 : twice);
  }, 0);
  return sum % 10 === 0;
}

function groupNumber(text) {
  const number = digits(text);
  const brand = brandOf(number);
  const most = Math.max(...brand.lengths);
  const cut = number.slice(0, most);
  if (most === 15 || most === 14) return [cut.slice(0, 4), cut.slice(4, 10), cut.slice(10)].filter(Boolean).join(' ');
  return cut.replace(/(.{4})(?=.)/g, '$1 ');
}

function groupExpiry(text, erasing) {
  let all = digits(text);
  if (/^[2-9]/.test(all)) all = `0${all}`;
  if (/^\d\s*\/\s*/.test(text)) all = `0${all.replace(/^0/, '')}`;
  const month = all.slice(0, 2);
  const year = /^\d{2}20\d{2}/.test(all) ? all.slice(4, 6) : all.slice(2, 4);
  if (month.length < 2 || (erasing && !year)) return month;
  return `${month} / ${year}`;
}

const problem = (code, message) => ({ type: 'validation_error', code, message: say(message) });

function numberProblem(text) {
  const number = digits(text);
  const { lengths } = brandOf(number);
  if (number.length < Math.min(...lengths)) return problem('incomplete_number', 'Your card number is incomplete.');
  return checksum(number) ? null : problem('invalid_number', 'Your card number is invalid.');
}

function expiryProblem(text, today = new Date()) {
  const all = digits(text);
  const month = Number(all.slice(0, 2));
  if (all.length >= 2 && (month < 1 || month > 12)) {
    return problem('invalid_expiry_month', "Your card's expiration date is invalid.");
  }
  if (all.length < 4) return problem('incomplete_expiry', "Your card's expiration date is incomplete.");
  const year = 2000 + Number(all.slice(2, 4));
  if (year < today.getFullYear())
    return problem('invalid_expiry_year_past', "Your card's expiration year is in the past.");
  if (year === today.getFullYear() && month < today.getMonth() + 1) {
    return problem('invalid_expiry_month_past', "Your card's expiration date is in the past.");
  }
  return year > today.getFullYear() + 50
    ? problem('invalid_expiry_year', "Your card's expiration year is invalid.")
    : null;
}

function codeProblem(text, length) {
  return digits(text).length < length ? problem('incomplete_cvc', "Your card's security code is incomplete.") : null;
}

function postalProblem(text) {
  return text.trim().length < 3 ? problem('incomplete_zip', 'Your postal code is incomplete.') : null;
}

/** What a field is: how it is shown as it is typed, how long it may be, what is wrong with a text. */
const FIELDS = {
  number: { shown: groupNumber, most: 23, check: numberProblem, auto: 'cc-number', mode: 'numeric' },
  expiry: { shown: groupExpiry, most: 9, check: expiryProblem, auto: 'cc-exp', mode: 'numeric' },
  cvc: { shown: (text) => digits(text).slice(0, 4), most: 4, check: codeProblem, auto: 'cc-csc', mode: 'numeric' },
  postal: {
    shown: (text) => text.slice(0, 10),
    most: 10,
    check: postalProblem,
    auto: 'billing postal-code',
    mode: 'text',
  },
};

/** Write a text as its field shows it, with the caret where it was. */
function reformat(input, shown, erasing) {
  const before = input.value;
  const after = shown(before, erasing);
  if (before === after) return;
  const caret = input.selectionStart ?? before.length;
  const end = caret >= before.length;
  const passed = before.slice(0, caret).replace(/[^0-9A-Za-z]/g, '').length;
  input.value = after;
  let place = 0;
  for (let seen = 0; place < after.length && seen < passed; place += 1) if (/[0-9A-Za-z]/.test(after[place])) seen += 1;
  if (document.activeElement === input) input.setSelectionRange(end ? after.length : place, end ? after.length : place);
}

/** The inputs of a card, and their state. changed: is called after each change. */
class CardFields {
  constructor(inputs, changed) {
    this.inputs = inputs; // by name: number, expiry, cvc, postal; only those that are shown
    this.left = new Set(); // fields that were left once, and may show what is wrong
    this.changed = changed;
    for (const [name, input] of Object.entries(inputs)) {
      input.addEventListener('input', (event) => this.typed(name, event));
      input.addEventListener('blur', () => {
        if (input.value) this.left.add(name);
        this.changed();
      });
    }
  }

  typed(name, event) {
    const input = this.inputs[name];
    this.left.delete(name);
    reformat(input, FIELDS[name].shown, /^delete/.test(event.inputType || ''));
    this.changed();
    const names = Object.keys(this.inputs);
    const next = this.inputs[names[names.indexOf(name) + 1]];
    const full = name === 'number' ? digits(input.value).length >= Math.max(...this.brand.lengths) : !this.wrong(name);
    if (next && full && name !== 'postal' && !this.wrong(name) && document.activeElement === input && !next.value)
      next.focus();
  }

  get brand() {
    return brandOf(this.inputs.number ? digits(this.inputs.number.value) : '');
  }

  /** What is wrong with a field, be it empty or not. */
  wrong(name) {
    return FIELDS[name].check(this.inputs[name].value, name === 'cvc' ? this.brand.code : undefined);
  }

  get names() {
    return Object.keys(this.inputs).filter((name) => !this.inputs[name].disabled || this.inputs[name].value);
  }

  get empty() {
    return Object.entries(this.inputs).every(([name, input]) => name === 'postal' || !input.value);
  }

  get complete() {
    return this.names.every((name) => !this.wrong(name));
  }

  /** The first problem that may be shown: of a field that was left, or that is full and wrong. */
  get shownProblem() {
    for (const name of this.names) {
      const found = this.inputs[name].value ? this.wrong(name) : null;
      if (found && (this.left.has(name) || !found.code.startsWith('incomplete'))) return { name, ...found };
    }
    return null;
  }

  /** What was typed, or `{error}` for the first field that is not complete. */
  values() {
    for (const name of this.names) {
      const error = this.wrong(name);
      if (error) {
        this.left.add(name);
        this.changed();
        return { error };
      }
    }
    const value = (name) => (this.inputs[name] ? this.inputs[name].value : undefined);
    const expiry = digits(value('expiry') || '');
    return {
      card: {
        number: value('number') && digits(value('number')),
        exp_month: expiry ? Number(expiry.slice(0, 2)) : undefined,
        exp_year: expiry ? Number(expiry.slice(2)) : undefined,
        cvc: value('cvc'),
      },
      postal: value('postal'),
    };
  }

  clear() {
    for (const input of Object.values(this.inputs)) input.value = '';
    this.left.clear();
    this.changed();
  }
}
