// The frame over the shop's page in which the customer's bank asks. It looks at the intent whenever the bank's page was
// sent, and closes once the intent no longer waits.
'use strict';

const PATHS = { payment_intent: '/v1/payment_intents', setup_intent: '/v1/setup_intents' };
const intent = `${PATHS[given.kind]}/${(given.secret || '').split('_secret_')[0]}`;
const waits = ['requires_action', 'requires_source_action'];
const root = document.getElementById('root');
let over = false;

function close() {
  over = true;
  tell('done');
}

async function look() {
  const found = await callApi('GET', intent, { client_secret: given.secret });
  if (!over && !found.error && !waits.includes(found.status)) close();
}

async function cancel() {
  if (over) return;
  over = true;
  await callApi('POST', `${intent}/source_cancel`, { client_secret: given.secret });
  close();
}

const page = /^\/3ds(-setup)?\/[0-9A-Za-z]+$/.test(given.page) ? `${given.page}?framed=1` : 'about:blank';
const bank = node('iframe', {
  id: 'challengeFrame',
  name: 'stripe-challenge-frame',
  title: say('Authentication by your bank'),
  src: page,
  onload: look,
});
const button = node(
  'button',
  { type: 'button', class: 'Close', 'aria-label': say('Cancel authentication'), onclick: cancel },
  '×',
);
root.append(
  node(
    'div',
    { class: 'LightboxModal', role: 'dialog', 'aria-modal': 'true', 'aria-label': say('3D Secure authentication') },
    node('div', { class: 'LightboxModalContent' }, button, bank),
  ),
);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') cancel();
});
begin({});
button.focus();
