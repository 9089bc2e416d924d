// Types of payment methods other than cards, as the payment Element shows them: what each asks for, besides the
// customer's country where it needs an address.
'use strict';

const text = (name, label, more = {}) => ({ name, label, ...more });
const NAME = text('name', 'Full name', { auto: 'billing name', place: 'billing' });
const EMAIL = text('email', 'Email', { auto: 'billing email', place: 'billing', type: 'email' });
const HOME = [
  text('line1', 'Address', { auto: 'billing address-line1', place: 'address' }),
  text('city', 'City', { auto: 'billing address-level2', place: 'address' }),
  text('postalCode', 'Postal code', { auto: 'billing postal-code', place: 'address', as: 'postal_code' }),
];
const account = (label = 'Account number') => text('accountNumber', label, { as: 'account_number', mode: 'numeric' });
const bank = (...names) => text('bank', 'Bank', { choices: names });

const METHODS = {
  acss_debit: {
    label: 'Pre-authorized debit',
    fields: [
      NAME,
      EMAIL,
      text('institutionNumber', 'Institution number', { as: 'institution_number', mode: 'numeric' }),
      text('transitNumber', 'Transit number', { as: 'transit_number', mode: 'numeric' }),
      account(),
    ],
  },
  afterpay_clearpay: { label: 'Afterpay', fields: [NAME, EMAIL, ...HOME] },
  au_becs_debit: {
    label: 'BECS Direct Debit',
    fields: [NAME, EMAIL, text('bsbNumber', 'BSB', { as: 'bsb_number', mode: 'numeric' }), account()],
  },
  bacs_debit: {
    label: 'Bacs Direct Debit',
    fields: [NAME, EMAIL, text('sortCode', 'Sort code', { as: 'sort_code', mode: 'numeric' }), account(), ...HOME],
  },
  bancontact: { label: 'Bancontact', fields: [NAME] },
  blik: {
    label: 'BLIK',
    fields: [text('code', '6-digit code', { place: 'option', mode: 'numeric', auto: 'one-time-code' })],
  },
  boleto: { label: 'Boleto', fields: [NAME, EMAIL, text('taxId', 'CPF/CNPJ', { as: 'tax_id' }), ...HOME] },
  card: { label: 'Card' },
  cashapp: { label: 'Cash App Pay' },
  eps: { label: 'EPS', fields: [NAME] },
  fpx: {
    label: 'FPX',
    fields: [
      bank(
        'affin_bank',
        'alliance_bank',
        'ambank',
        'bank_islam',
        'bsn',
        'cimb',
        'hsbc',
        'maybank2u',
        'ocbc',
        'rhb',
        'uob',
      ),
    ],
  },
  ideal: { label: 'iDEAL', fields: [NAME] },
  klarna: { label: 'Klarna', fields: [EMAIL], country: true },
  konbini: { label: 'Konbini', fields: [NAME, EMAIL] },
  mb_way: { label: 'MB WAY' },
  multibanco: { label: 'Multibanco', fields: [EMAIL] },
  nz_bank_account: {
    label: 'NZ bank account',
    fields: [
      NAME,
      EMAIL,
      text('bankCode', 'Bank', { as: 'bank_code', mode: 'numeric' }),
      text('branchCode', 'Branch', { as: 'branch_code', mode: 'numeric' }),
      account(),
      text('suffix', 'Suffix', { mode: 'numeric' }),
    ],
  },
  oxxo: { label: 'OXXO', fields: [NAME, EMAIL] },
  p24: { label: 'Przelewy24', fields: [NAME, EMAIL] },
  paypal: { label: 'PayPal' },
  sepa_debit: {
    label: 'SEPA Debit',
    fields: [NAME, EMAIL, text('iban', 'IBAN', { placeholder: 'DE00 0000 0000 0000 0000 00' })],
  },
  sofort: { label: 'Sofort', fields: [NAME, EMAIL], country: true, countryPlace: 'method' },
  us_bank_account: {
    label: 'US bank account',
    fields: [
      NAME,
      EMAIL,
      text('routingNumber', 'Routing number', { as: 'routing_number', mode: 'numeric' }),
      account(),
      text('accountHolderType', 'Account holder', { as: 'account_holder_type', choices: ['individual', 'company'] }),
    ],
  },
  wechat_pay: { label: 'WeChat Pay' },
};

function methodOf(type) {
  const words = type.split('_').map((word) => word[0].toUpperCase() + word.slice(1));
  const known = { label: words.join(' '), fields: [], ...METHODS[type] };
  return { ...known, label: say(known.label) };
}

const COUNTRIES = (
  'AC AD AE AF AG AI AL AM AO AQ AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY' +
  ' BZ CA CD CF CG CH CI CK CL CM CN CO CR CV CW CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FO FR GA' +
  ' GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IS IT JE JM JO JP' +
  ' KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT' +
  ' MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PY QA RE RO RS RU' +
  ' RW SA SB SC SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW' +
  ' TZ UA UG US UY UZ VA VC VE VG VN VU WF WS XK YE YT ZA ZM ZW ZZ'
).split(' ');

/** Countries whose addresses name a part of the country, and what it is called there. */
const REGIONS = {
  ...{ AU: 'State', BR: 'State', IN: 'State', MX: 'State', US: 'State' },
  ...{ CA: 'Province', CN: 'Province', ES: 'Province', IT: 'Province', JP: 'Prefecture' },
};

/** Countries whose cards are asked for a postal code, and what it is called there. */
const POSTAL = { US: ['ZIP code', '12345'], CA: ['Postal code', 'M5T 1T4'], GB: ['Postal code', 'WS11 1DB'] };

function countryNames() {
  const names = new Intl.DisplayNames([TAG, 'en'], { type: 'region', fallback: 'code' });
  const named = COUNTRIES.filter((code) => code !== 'ZZ').map((code) => [code, names.of(code)]);
  return named.sort(([, one], [, other]) => one.localeCompare(other, TAG));
}
