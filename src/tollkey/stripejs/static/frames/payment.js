// The frame of the payment Element: the types of payment methods as tabs or as an accordion, and the fields of each.
'use strict';

const root = document.getElementById('root');
const content = node('div', { class: 'Payment' });
root.append(content);
let asked = { options: {}, group: {}, types: [], customer: null };
let parts = {}; // by type: what its fields are, say and lack
let current = null;
let last = '';
let lastBrand;

const details = () => (asked.options.defaultValues || {}).billingDetails || {};

/** Whether the page says that a billing detail is never asked for here. */
function never(name) {
  const all = (asked.options.fields || {}).billingDetails;
  const address = all && all.address;
  const words = { postal_code: 'postalCode' };
  const inner = address && typeof address === 'object' ? address[words[name] || name] : address;
  return (
    all === 'never' ||
    (all && all[name] === 'never') ||
    (['country', 'postal_code', 'line1', 'city'].includes(name) && inner === 'never')
  );
}

function makeCard() {
  const { card, node: rows } = cardPart(changed);
  const place = placePart(changed, {
    country: !never('country'),
    postal: !never('postal_code'),
    value: details().address,
  });
  rows.append(place.node);
  return {
    node: rows,
    get empty() {
      return card.empty;
    },
    get complete() {
      return card.complete && !place.problem;
    },
    get brand() {
      return card.brand.name === 'unknown' ? undefined : card.brand.name;
    },
    values() {
      const typed = card.values();
      if (typed.error) return typed;
      place.show(place.problem && place.problem.message);
      if (place.problem) return { error: place.problem };
      return { method: { type: 'card', card: typed.card, billing_details: { address: place.values } } };
    },
    focus: () => card.inputs.number.focus(),
  };
}

function makeOther(type) {
  const { fields, country } = methodOf(type);
  const shown = fields.filter((field) => !(field.place && field.place !== 'option' && never(field.as || field.name)));
  const made = shown.map((field) => {
    const given = field.place === 'billing' ? details()[field.name] : (details().address || {})[field.as || field.name];
    const choices = field.choices && field.choices.map((code) => [code, say(code.replaceAll('_', ' '))]);
    return new Field(field.name, field.label, {
      type: choices ? null : field.type || 'text',
      choices,
      autocomplete: field.auto || 'off',
      inputmode: field.mode,
      placeholder: field.placeholder,
      value: given || (choices ? choices[0][0] : ''),
    });
  });
  for (const field of made) {
    field.input.addEventListener('input', () => {
      field.paint();
      changed();
    });
  }
  const home = shown.some((field) => field.place === 'address') || country;
  const place =
    home && !never('country') ? placePart(changed, { country: true, postal: false, value: details().address }) : null;
  const lacking = () => made.filter((field) => !field.value);
  const word = methodOf(type).label;
  const hint =
    made.length || place
      ? ''
      : node('p', { class: 'Hint' }, say('{name} asks for everything else once you pay.', { name: word }));
  return {
    node: node('div', { class: 'Rows' }, ...made.map((field) => field.node), ...(place ? [place.node] : []), hint),
    get empty() {
      return made.length > 0 && made.every((field) => !field.value);
    },
    get complete() {
      return lacking().length === 0;
    },
    values() {
      for (const field of lacking()) field.paint(say('This field is incomplete.'));
      const [first] = lacking();
      if (first) {
        return {
          error: {
            type: 'validation_error',
            code: `incomplete_${first.name.toLowerCase()}`,
            message: say('{field} is incomplete.', { field: first.label.textContent }),
          },
        };
      }
      return collected(type, shown, made, place);
    },
    focus: () => made[0] && made[0].input.focus(),
  };
}

/** The values of fields, each where the API takes it. */
function collected(type, fields, made, place) {
  const inner = {};
  const billing = {};
  const address = place ? place.values : {};
  const options = {};
  fields.forEach((field, number) => {
    const { value } = made[number];
    const name = field.as || field.name;
    if (field.place === 'billing') billing[name] = value;
    else if (field.place === 'address') address[name] = value;
    else if (field.place === 'option') options[name] = value;
    else inner[name] = name === 'iban' || /number|code|suffix/.test(name) ? value.replace(/[\s-]/g, '') : value;
  });
  if (methodOf(type).countryPlace === 'method') inner.country = address.country;
  if (Object.keys(address).length) billing.address = address;
  const method = { type, billing_details: billing, ...(Object.keys(inner).length && { [type]: inner }) };
  const extra = Object.keys(options).length ? { options: { [type]: options } } : {};
  return { method, ...extra, ...(MANDATES.has(type) && { mandate: true }) };
}

function valueOf(part) {
  const { id, type, billing_details: billing } = (part && part.chosen) || { type: current || '' };
  return id ? { type, payment_method: { id, type, billing_details: billing } } : { type };
}

function changed() {
  const part = parts[current];
  const event = {
    empty: !part || part.empty,
    complete: Boolean(part && part.complete),
    collapsed: !current,
    value: valueOf(part),
  };
  const text = JSON.stringify(event);
  if (text !== last) tell('change', event);
  last = text;
  const brand = part && part.brand;
  if (brand !== lastBrand)
    tell('carddetailschange', { loading: false, details: { brands: brand ? [brand] : null, funding: null } });
  lastBrand = brand;
}

function terms(type) {
  const shop = (asked.options.business || {}).name || asked.group.business || say('this business');
  const saves = asked.group.saves || MANDATES.has(type);
  if (!saves || (asked.options.terms || {})[type] === 'never') return '';
  const told =
    type === 'card'
      ? 'By providing your card information, you allow {business} to charge you for future payments in accordance' +
        ' with their terms.'
      : 'By providing your details and confirming this payment, you authorize {business} to charge you for future' +
        ' payments in accordance with their terms.';
  return node('p', { class: 'TermsText' }, say(told, { business: shop }));
}

function partOf(type) {
  if (!parts[type]) {
    if (type === 'saved') {
      parts[type] = savedPart(savedMethods(asked.customer, asked.types), changed);
      return parts[type];
    }
    parts[type] = type === 'card' ? makeCard() : makeOther(type);
    const box = saveBox(savedFeatures(asked.customer));
    const { values } = parts[type];
    parts[type].values = () => ({ ...box.values(), ...values.call(parts[type]) });
    parts[type].node.append(...box.nodes);
    const more = terms(type);
    if (more) parts[type].node.append(more);
  }
  return parts[type];
}

function layoutOf() {
  const { layout = 'tabs' } = asked.options;
  const given = typeof layout === 'string' ? { type: layout } : layout;
  return { ...given, type: given.type === 'accordion' ? 'accordion' : 'tabs' };
}

/** Show the types, with the fields of the chosen one. */
function choose(type, focus = false) {
  current = type;
  if (layoutOf().type === 'accordion') showAccordion();
  else showTabs();
  if (focus && type) partOf(type).focus();
  changed();
}

function showTabs() {
  const { types } = asked;
  const panel = node('div', { class: 'Panel', id: 'panel' }, partOf(current).node);
  if (types.length < 2) {
    content.replaceChildren(panel);
    return;
  }
  const tabs = types.map((type) => {
    const chosen = type === current;
    return node(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `${type}-tab`,
        value: type,
        'data-testid': type,
        'aria-selected': String(chosen),
        'aria-controls': 'panel',
        tabindex: chosen ? '0' : '-1',
        class: `Tab${chosen ? ' Tab--selected' : ''}`,
        onclick: () => choose(type),
        onkeydown: moveTab,
      },
      node('span', { class: 'TabLabel' }, labelOf(type)),
    );
  });
  panel.setAttribute('role', 'tabpanel');
  panel.setAttribute('aria-labelledby', `${current}-tab`);
  const held = document.activeElement && document.activeElement.getAttribute('role') === 'tab';
  content.replaceChildren(
    node('div', { class: 'TabList', role: 'tablist', 'aria-label': say('Payment methods') }, ...tabs),
    panel,
  );
  if (held) document.getElementById(`${current}-tab`).focus();
}

function moveTab(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const { types } = asked;
  event.preventDefault();
  choose(types[(types.indexOf(current) + step + types.length) % types.length]);
}

function showAccordion() {
  const items = asked.types.map((type) => {
    const chosen = type === current;
    const head = node(
      'button',
      {
        type: 'button',
        'data-testid': type,
        'data-value': type,
        value: type,
        id: `${type}-head`,
        'aria-expanded': String(chosen),
        role: 'button',
        class: `AccordionItem${chosen ? ' AccordionItem--selected' : ''}`,
        onclick: () => choose(type),
      },
      node('span', { class: `RadioIcon${chosen ? ' RadioIcon--checked' : ''}`, 'aria-hidden': 'true' }),
      node('span', {}, labelOf(type)),
    );
    return node(
      'div',
      { class: 'Item' },
      head,
      ...(chosen ? [node('div', { class: 'Panel' }, partOf(type).node)] : []),
    );
  });
  const held = document.activeElement && document.activeElement.id;
  content.replaceChildren(...items);
  if (held && document.getElementById(held)) document.getElementById(held).focus();
}

let ready = false;
let lastAvailable = '';

function setOptions({ options, group, types, customer = null }) {
  const order = options.paymentMethodOrder || [];
  const place = (type) => (order.includes(type) ? order.indexOf(type) : order.length);
  const sorted = types.filter((type) => type !== 'link').sort((one, other) => place(one) - place(other));
  if (savedMethods(customer, sorted).length) sorted.unshift('saved');
  asked = { options, group, types: sorted, customer };
  applyAppearance(group.appearance);
  const closed = layoutOf().type === 'accordion' && layoutOf().defaultCollapsed;
  if (!ready || !sorted.includes(current)) choose(closed && !ready ? null : sorted[0]);
  content.toggleAttribute('inert', Boolean(options.readOnly));
  if (!ready) tell('ready');
  ready = true;
  const available = JSON.stringify(Object.fromEntries(types.map((type) => [type, { available: true }])));
  if (available !== lastAvailable) tell('availablepaymentmethodschange', { paymentMethods: JSON.parse(available) });
  lastAvailable = available;
}

function values() {
  if (current) return partOf(current).values();
  return {
    error: {
      type: 'validation_error',
      code: 'incomplete_payment_details',
      message: say('Please select a payment method.'),
    },
  };
}

Object.defineProperty(window, 'tollkeyFields', { value: { values } });
begin({
  options: setOptions,
  focus: () => (current ? partOf(current).focus() : content.querySelector('button').focus()),
  blur: () => document.activeElement.blur(),
  collapse: () => layoutOf().type === 'accordion' && choose(null),
  clear: () => {
    parts = {};
    choose(current);
  },
  check: (data, answer) => {
    const found = values();
    answer(found.error ? { error: found.error } : { selectedPaymentMethod: current });
  },
});
tellKeys();
tellSize(content);
