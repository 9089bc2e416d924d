// The frame of buttons for wallets, which are shown when the page's test asks for them: a meta element named
// `tollkey-wallets` lists them. What a wallet pays with is the test token of a Visa card.
'use strict';

const LABELS = { apple_pay: 'Apple Pay', google_pay: 'Google Pay', link: 'Link', paypal: 'PayPal' };
const root = document.getElementById('root');
const content = node('div', { class: 'Payment Wallets' });
root.append(content);
let ready = false;

function setOptions({ group, wallets = [] }) {
  applyAppearance(group.appearance);
  const known = wallets.filter((name) => LABELS[name]);
  const buttons = known.map((name) =>
    node(
      'button',
      { type: 'button', class: 'Wallet', 'data-testid': name, onclick: () => tell('wallet', { wallet: name }) },
      say('Pay with {wallet}', { wallet: LABELS[name] }),
    ),
  );
  content.replaceChildren(...buttons);
  content.classList.toggle('None', !known.length);
  if (!ready) tell('ready', { wallets: known });
  ready = true;
}

Object.defineProperty(window, 'tollkeyFields', {
  value: {
    values: () => (given.kind === 'currencySelector' ? {} : { method: { type: 'card', card: { token: 'tok_visa' } } }),
  },
});
begin({
  options: setOptions,
  focus: () => content.querySelector('button') && content.querySelector('button').focus(),
  blur: () => document.activeElement.blur(),
  clear: () => {},
  check: (data, answer) => answer({}),
});
tellKeys();
tellSize(content);
