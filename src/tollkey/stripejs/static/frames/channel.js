// What every frame shares: messages to and from the page that embeds it, and calls of the API. Messages are taken from
// the embedding page alone, under the origin that the frame's address names, and sent to no other.
'use strict';

const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const API = location.hostname === 'js.stripe.com' ? 'https://api.stripe.com' : location.origin;

function tell(type, data = {}) {
  if (window.parent !== window && given.origin) window.parent.postMessage({ tollkey: 1, type, data }, given.origin);
}

/** Hear messages from now on. handlers: by type; each gets the data and a function that answers. */
function begin(handlers) {
  window.addEventListener('message', (event) => {
    const message = event.data;
    if (event.source !== window.parent || event.origin !== given.origin) return;
    if (!message || message.tollkey !== 1 || !Object.hasOwn(handlers, message.type)) return;
    const answer = (data) =>
      window.parent.postMessage({ tollkey: 1, type: 'answer', to: message.id, data }, given.origin);
    handlers[message.type](message.data || {}, answer);
  });
  tell('hello', { title: given.title && say(given.title) });
}

/** Nested parameters as the pairs of a form. */
function pairs(params, prefix = '') {
  return Object.entries(params).flatMap(([name, value]) => {
    const key = prefix ? `${prefix}[${name}]` : name;
    if (value === null || value === undefined) return [];
    return typeof value === 'object' ? pairs(value, key) : [[key, String(value)]];
  });
}

/** Call the API with the page's publishable key. Returns the answer, or `{error}`. */
async function callApi(method, path, params = {}) {
  const sent = { ...params, key: given.key, _stripe_account: given.account, _stripe_version: given.version };
  const text = new URLSearchParams(pairs(sent));
  try {
    const answer =
      method === 'GET'
        ? await fetch(`${API}${path}?${text}`, { credentials: 'omit' })
        : await fetch(`${API}${path}`, { method, body: text, credentials: 'omit' });
    const said = await answer.json();
    return said.error ? { error: said.error } : said;
  } catch (problem) {
    const message = `We are experiencing issues connecting to our payments provider. (${problem.message})`;
    return { error: { type: 'api_connection_error', message } };
  }
}

/** A new node with these properties and children. */
function node(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'class') made.className = value;
    else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** Tell the page how high the content is, now and whenever that changes. */
function tellSize(content) {
  const say = () => tell('size', { height: Math.ceil(content.getBoundingClientRect().height) });
  new ResizeObserver(say).observe(content);
  say();
}

/** Tell the page of focus, of its loss, of Escape, and of Enter, which submits the form around the Element. */
function tellKeys() {
  let focused = false;
  document.addEventListener('focusin', () => {
    if (!focused) tell('focus');
    focused = true;
  });
  document.addEventListener('focusout', () => {
    setTimeout(() => {
      if (!focused || (document.hasFocus() && document.activeElement !== document.body)) return;
      focused = false;
      tell('blur');
    });
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') tell('escape');
    if (event.key === 'Enter' && event.target.matches('input')) tell('enter');
  });
}
