// The frame of the card Element, and of those that have one field of it.
'use strict';

const SHOWN = {
  card: ['number', 'expiry', 'cvc', 'postal'],
  cardNumber: ['number'],
  cardExpiry: ['expiry'],
  cardCvc: ['cvc'],
};
const ZIP = likelyCountry() === 'US' || TAG !== 'en' ? 'ZIP' : 'Postal code';
const NAMED = {
  number: ['cardnumber', 'cardNumber', 'Credit or debit card number', 'Card number'],
  expiry: ['exp-date', 'cardExpiry', 'Credit or debit card expiration date', 'MM / YY'],
  cvc: ['cvc', 'cardCvc', 'Credit or debit card CVC/CVV', 'CVC'],
  postal: ['postal', 'postalCode', 'ZIP or postal code', ZIP],
};
const kind = Object.hasOwn(SHOWN, given.kind) ? given.kind : 'card';
const root = document.getElementById('root');
const icon = node('span', { class: 'Icon', 'aria-hidden': 'true' });
const inputs = {};

for (const name of SHOWN[kind]) {
  const [field, stable, label, placeholder] = NAMED[name];
  inputs[name] = node('input', {
    class: `InputElement is-empty Input Input--empty field-${name}`,
    name: field,
    type: name === 'postal' ? 'text' : 'tel',
    'data-elements-stable-field-name': stable,
    'aria-label': say(label),
    'aria-invalid': 'false',
    placeholder: kind === 'cardNumber' ? '1234 1234 1234 1234' : say(placeholder),
    autocomplete: FIELDS[name].auto,
    inputmode: FIELDS[name].mode,
    maxlength: FIELDS[name].most,
    autocorrect: 'off',
    spellcheck: 'false',
  });
}
const row = node('div', { class: `Row ${kind}` }, icon, ...Object.values(inputs));
root.append(node('form', { class: 'ElementsApp', onsubmit: (event) => event.preventDefault() }, row));

/**
 * Where the row is too narrow for every field, the number has it alone while it is typed, and leaves all but its last
 * digits once it is done.
 */
function slide() {
  if (kind !== 'card') return;
  const { number } = inputs;
  const here = document.activeElement === number;
  row.classList.remove('narrow', 'typing', 'typed');
  row.classList.toggle('narrow', row.scrollWidth > row.clientWidth);
  row.classList.toggle('typing', here && Boolean(number.value));
  row.classList.toggle('typed', !here && Boolean(number.value));
  row.scrollLeft = 0;
  if (!here) number.scrollLeft = number.scrollWidth;
}

let last = '';

function changed() {
  slide();
  const shown = fields.shownProblem;
  for (const [name, input] of Object.entries(inputs)) {
    const bad = Boolean(shown && shown.name === name);
    const empty = !input.value;
    input.classList.toggle('is-empty', empty);
    input.classList.toggle('is-complete', !empty && !fields.wrong(name));
    input.classList.toggle('is-invalid', bad);
    input.setAttribute('aria-invalid', String(bad));
  }
  icon.dataset.brand = fields.brand.name;
  const error = shown ? { type: shown.type, code: shown.code, message: shown.message } : undefined;
  const event = { error, empty: fields.empty, complete: fields.complete };
  if (kind === 'card') event.value = { postalCode: inputs.postal ? inputs.postal.value : '' };
  if (inputs.number) event.brand = fields.brand.name;
  const text = JSON.stringify(event);
  if (text !== last) tell('change', event);
  last = text;
}

const fields = new CardFields(inputs, changed);
last = JSON.stringify({
  error: undefined,
  empty: true,
  complete: false,
  ...(kind === 'card' && { value: { postalCode: '' } }),
  ...(inputs.number && { brand: 'unknown' }),
});
Object.defineProperty(window, 'tollkeyFields', { value: { values: () => fields.values() } });

row.addEventListener('focusin', slide);
row.addEventListener('focusout', () => setTimeout(slide));
new ResizeObserver(slide).observe(document.documentElement);

let ready = false;

function setOptions({ options }) {
  styleFields(options.style);
  icon.hidden = kind === 'card' ? Boolean(options.hideIcon) : !options.showIcon;
  if (kind === 'card' && options.hidePostalCode && inputs.postal) {
    inputs.postal.remove();
    delete inputs.postal;
  }
  for (const input of Object.values(inputs)) {
    input.disabled = Boolean(options.disabled);
    if (options.placeholder !== undefined && kind !== 'card') input.placeholder = options.placeholder;
  }
  if (options.value && typeof options.value.postalCode === 'string' && inputs.postal) {
    inputs.postal.value = options.value.postalCode;
    changed();
  }
  if (!ready) tell('ready');
  ready = true;
}

begin({
  options: setOptions,
  focus: () => Object.values(inputs)[0].focus(),
  blur: () => document.activeElement.blur(),
  clear: () => fields.clear(),
});
tellKeys();
tellSize(row);
