// The frame of the Elements that ask who pays, and where: the address Element, and the one for an email address.
'use strict';

const root = document.getElementById('root');
const content = node('div', { class: 'Payment' });
root.append(content);
const email = ['linkAuthentication', 'contactDetails'].includes(given.kind);
let asked = { options: {}, group: {} };
let made = null;
let last = '';

function addressFields() {
  const { options } = asked;
  const start = options.defaultValues || {};
  const home = start.address || {};
  const names = countryNames().filter(([code]) => !options.allowedCountries || options.allowedCountries.includes(code));
  const split = (options.display || {}).name === 'split';
  const fields = {};
  const add = (key, name, label, value, more = {}) => {
    fields[key] = new Field(name, label, { group: 'address', value: value || '', ...more });
  };
  if (split) {
    add('firstName', 'firstName', 'First name', start.firstName, { autocomplete: 'given-name' });
    add('lastName', 'lastName', 'Last name', start.lastName, { autocomplete: 'family-name' });
  } else {
    const organization = (options.display || {}).name === 'organization';
    add('name', 'name', organization ? 'Organization name' : 'Full name', start.name, { autocomplete: 'name' });
  }
  const country =
    home.country || [likelyCountry(), 'US'].find((code) => names.some(([known]) => known === code)) || names[0][0];
  add('country', 'country', 'Country or region', country, { choices: names, autocomplete: 'country' });
  add('line1', 'addressLine1', 'Address line 1', home.line1, { autocomplete: 'address-line1' });
  add('line2', 'addressLine2', 'Address line 2', home.line2, { autocomplete: 'address-line2' });
  add('city', 'locality', 'City', home.city, { autocomplete: 'address-level2' });
  add('state', 'administrativeArea', 'State', home.state, { autocomplete: 'address-level1' });
  add('postal_code', 'postalCode', 'ZIP code', home.postal_code, { autocomplete: 'postal-code' });
  if ((options.fields || {}).phone === 'always') {
    add('phone', 'phone', 'Phone number', start.phone, { autocomplete: 'tel', type: 'tel' });
  }
  return fields;
}

function emailFields() {
  const start = (asked.options.defaultValues || {}).email || '';
  return { email: new Field('email', 'Email', { group: 'email', type: 'email', autocomplete: 'email', value: start }) };
}

/** Call the postal code and the state what the country calls them, and ask for a state where addresses have one. */
function nameParts() {
  if (email) return;
  const country = made.country.value;
  made.postal_code.label.textContent = say((POSTAL[country] || ['Postal code'])[0]);
  made.state.label.textContent = say(REGIONS[country] || 'State');
  made.state.node.hidden = !REGIONS[country];
}

/** Which fields may stay empty. */
function needed(key) {
  if (key === 'line2') return false;
  if (key === 'state') return ['US', 'CA', 'AU', 'BR', 'IN', 'MX'].includes(made.country.value);
  if (key === 'postal_code') return !['HK', 'IE', 'AE', 'QA', 'PA'].includes(made.country.value);
  return true;
}

const lacking = () => Object.keys(made).filter((key) => (needed(key) || key === 'email') && !made[key].value);

function value() {
  const text = (key) => (made[key] && !made[key].node.hidden && made[key].value) || null;
  if (email) return { email: text('email') || '' };
  const parts = ['line1', 'line2', 'city', 'state', 'postal_code'].map((key) => [key, text(key)]);
  const address = { ...Object.fromEntries(parts), country: text('country') };
  const name = made.name ? text('name') || '' : [text('firstName'), text('lastName')].filter(Boolean).join(' ');
  const split = made.name ? {} : { firstName: text('firstName') || '', lastName: text('lastName') || '' };
  return { name, ...split, address, ...(made.phone && { phone: text('phone') || '' }) };
}

function state() {
  const typed = Object.entries(made).filter(([key]) => key !== 'country');
  const empty = typed.every(([, field]) => !field.value);
  const bad = email && made.email.value && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(made.email.value);
  return { empty, complete: !lacking().length && !bad, value: value() };
}

function changed() {
  const mode = asked.options.mode || 'shipping';
  const event = email ? state() : { elementMode: mode, isNewAddress: true, ...state() };
  const text = JSON.stringify(event);
  if (text !== last) tell('change', event);
  last = text;
}

function check() {
  const found = state();
  if (found.complete) return {};
  for (const key of lacking()) made[key].paint(say('This field is incomplete.'));
  const [first = 'email'] = lacking();
  const message = say(email ? 'Your email is incomplete.' : 'Your address is incomplete.');
  made[first].paint(email ? message : say('This field is incomplete.'));
  return { error: { type: 'validation_error', code: `incomplete_${first}`, message } };
}

/** What the payment is told: billing details, or where it is shipped to. */
function values() {
  const found = check();
  if (found.error) return found;
  if (email) return { billing: { email: made.email.value } };
  const { firstName, lastName, ...told } = value();
  const known = Object.entries(told.address).filter(([, text]) => text);
  const details = { ...told, address: Object.fromEntries(known) };
  return asked.options.mode === 'billing' ? { billing: details } : { shipping: details };
}

function show() {
  made = email ? emailFields() : addressFields();
  for (const field of Object.values(made)) {
    field.input.addEventListener(field.input.tagName === 'SELECT' ? 'change' : 'input', () => {
      field.paint();
      nameParts();
      changed();
    });
  }
  nameParts();
  const pairs = new Set(['city', 'state', 'postal_code', 'phone']);
  const wide = Object.entries(made)
    .filter(([key]) => !pairs.has(key))
    .map(([, field]) => field.node);
  const half = Object.entries(made)
    .filter(([key]) => pairs.has(key))
    .map(([, field]) => field.node);
  content.replaceChildren(node('div', { class: 'Rows' }, ...wide, node('div', { class: 'Pair' }, ...half)));
}

Object.defineProperty(window, 'tollkeyFields', { value: { values, told: state } });
begin({
  options({ options, group }) {
    asked = { options: { ...options, mode: options.mode || 'shipping' }, group };
    applyAppearance(group.appearance);
    if (made) return;
    show();
    tell('ready');
    changed();
  },
  focus: () => Object.values(made)[0].input.focus(),
  blur: () => document.activeElement.blur(),
  clear: () => {
    show();
    changed();
  },
  check: (data, answer) => answer(check()),
  value: (data, answer) => answer({ complete: state().complete, isNewAddress: true, value: value() }),
});
tellKeys();
tellSize(content);
