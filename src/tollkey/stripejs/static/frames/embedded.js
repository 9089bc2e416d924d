// The frame of Embedded Checkout: the hosted page of a session, from this origin. It looks at the session whenever that
// page was loaded, and tells the page around it once the session is complete.
'use strict';

const session = (given.secret || '').split('_secret_')[0];
const root = document.getElementById('root');
const hosted = node('iframe', { class: 'Hosted', title: say('Checkout'), name: 'embedded-checkout-inner' });
root.append(hosted);
let about = null;
let over = false;

async function look() {
  const place = hosted.contentWindow.location.pathname;
  const found = await callApi('GET', `/v1/payment_pages/${session}`);
  if (over || found.error) return;
  if (found.status === 'complete') {
    over = true;
    tell('complete', about);
  } else if (place.startsWith('/3ds') && !hosted.contentDocument.forms.length) {
    hosted.contentWindow.location.replace(`${new URL(about.url).pathname}/return`); // says what went wrong
  }
}

/** The height of the hosted page, which has the same origin. */
function fit() {
  const inner = hosted.contentDocument && hosted.contentDocument.querySelector('main');
  if (!inner) return;
  const height = Math.ceil(inner.getBoundingClientRect().bottom) + 48;
  hosted.style.height = `${height}px`;
  tell('size', { height });
}

hosted.addEventListener('load', () => {
  fit();
  if (about) look();
});
begin({});
callApi('POST', `/v1/payment_pages/${session}/init`, { client_secret: given.secret }).then((found) => {
  if (found.error) {
    root.replaceChildren(node('p', { class: 'Hint', role: 'alert' }, found.error.message));
    return;
  }
  about = found;
  if (found.status === 'complete') tell('complete', found);
  else hosted.src = new URL(found.url).pathname;
});
