// The form of legacy Checkout: an email address and a card, which become a token.
'use strict';

const root = document.getElementById('root');

function priceOf({ amount, currency = 'usd' }) {
  if (!amount) return '';
  const format = new Intl.NumberFormat(TAG, { style: 'currency', currency });
  return format.format(Number(amount) / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function show(options) {
  applyAppearance({});
  const email = new Field('email', 'Email', {
    group: 'checkout',
    type: 'email',
    autocomplete: 'email',
    value: options.email || '',
  });
  const { card, node: rows } = cardPart(() => {});
  const postal = String(options.zipCode) === 'true' ? placePart(() => {}, { country: true, postal: true }) : null;
  const said = node('p', { class: 'Error', role: 'alert', hidden: true });
  const price = priceOf(options);
  const label = (options.panelLabel || say('Pay')).replace('{{amount}}', price);
  const pay = node(
    'button',
    { type: 'submit', class: 'Wallet' },
    `${label}${label.includes(price) ? '' : ` ${price}`}`,
  );
  const fail = (message) => {
    said.textContent = message;
    said.hidden = false;
    pay.disabled = false;
  };
  const send = async (event) => {
    event.preventDefault();
    said.hidden = true;
    if (!options.email && !/^[^@\s]+@[^@\s]+$/.test(email.value)) {
      email.paint(say('Your email is incomplete.'));
      return;
    }
    const typed = card.values();
    const lacks = typed.error || (postal && postal.problem);
    if (lacks) {
      fail(lacks.message);
      return;
    }
    pay.disabled = true;
    const address = postal ? { address_zip: postal.values.postal_code, address_country: postal.values.country } : {};
    const token = await callApi('POST', '/v1/tokens', { card: { ...typed.card, name: email.value, ...address } });
    if (token.error) fail(token.error.message);
    else tell('token', { ...token, email: email.value });
  };
  const close = node(
    'button',
    { type: 'button', class: 'Close', 'aria-label': say('Close'), onclick: () => tell('closed') },
    '×',
  );
  const form = node(
    'form',
    { class: 'Rows', novalidate: true, onsubmit: send },
    node('h1', { class: 'Title' }, options.name || say('Payment')),
    ...(options.description ? [node('p', { class: 'Hint' }, options.description)] : []),
    ...(options.email ? [] : [email.node]),
    rows,
    ...(postal ? [postal.node] : []),
    said,
    pay,
  );
  const content = node('div', { class: 'LightboxModalContent Popup Payment' }, close, form);
  root.replaceChildren(
    node(
      'div',
      { class: 'LightboxModal', role: 'dialog', 'aria-modal': 'true', 'aria-label': options.name || say('Payment') },
      content,
    ),
  );
  (options.email ? card.inputs.number : email.input).focus();
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') tell('closed');
});
begin({ options: show });
