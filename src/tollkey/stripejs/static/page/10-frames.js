// Stripe.js without Stripe: the script that a shop's page loads. The server joins the files of this folder in the order
// of their names; nothing is compiled. What a customer types stays in frames from this script's own origin: neither
// this script nor the page ever sees a card number.

const script =
  document.currentScript ||
  [...document.scripts].find((one) => /\/(v3\/?|[a-z]+\/stripe\.js|checkout\.js)(\?|$)/.test(one.src));
const HOME = new URL(script.src).origin;
const TRAIN = /^\/([a-z]+)\/stripe\.js/.exec(new URL(script.src).pathname)?.[1] || 'v3';
const PLAIN = HOME.startsWith('http:') && !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\]|.*\.localhost)(:|$)/.test(HOME);

/** The error for a call that can never work as it is written. */
class IntegrationError extends Error {
  constructor(message) {
    super(message);
    this.name = 'IntegrationError';
  }
}

function refuse(message) {
  throw new IntegrationError(message);
}

/** What can be sent to a frame: without functions, nodes and proxies. */
function plain(value) {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function style(node, rules) {
  for (const one of rules.split(';')) node.style.setProperty(...one.split(':'), 'important');
}

function bodyReady() {
  if (document.body) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener('DOMContentLoaded', () => resolve(), { once: true }));
}

const frames = new Set();
let counted = 0;

window.addEventListener('message', (event) => {
  if (event.origin !== HOME || !event.data || event.data.tollkey !== 1) return;
  for (const frame of frames) if (frame.node.contentWindow === event.source) frame.heard(event.data);
});

/** A frame from this script's origin, and the messages to and from it. */
class Frame {
  /**
   * page: the frame's page below /v3/. given: what its address says. listen: hears (type, data) of each message that is
   * not an answer.
   */
  constructor(page, { given = {}, listen = () => {}, title = '', name = '__privateStripeFrame' } = {}) {
    this.listen = listen;
    this.queue = [];
    this.asked = new Map();
    this.said = false;
    this.node = document.createElement('iframe');
    this.node.name = `${name}${(counted += 1)}`;
    this.node.title = title;
    this.node.setAttribute('frameborder', '0');
    this.node.setAttribute('allowtransparency', 'true');
    this.node.setAttribute('scrolling', 'no');
    this.node.setAttribute('role', 'presentation');
    this.node.setAttribute('allow', 'payment *; publickey-credentials-get *; clipboard-write');
    const params = new URLSearchParams({ ...given, title, train: TRAIN, origin: window.location.origin });
    this.node.src = `${HOME}/v3/${page}.html#${params}`;
    frames.add(this);
  }

  heard(message) {
    if (message.type === 'hello') {
      this.said = true;
      if (message.data.title) this.node.title = message.data.title; // in the frame's language
      for (const one of this.queue.splice(0)) this.post(one);
    }
    if (message.type === 'answer') {
      const answer = this.asked.get(message.to);
      this.asked.delete(message.to);
      if (answer) answer(message.data);
    } else {
      this.listen(message.type, message.data);
    }
  }

  send(type, data, id) {
    const message = { tollkey: 1, type, data: plain(data), id };
    if (this.said) this.post(message);
    else this.queue.push(message);
  }

  post(message) {
    if (this.node.contentWindow) this.node.contentWindow.postMessage(message, HOME);
  }

  /** Send a message and return the promise of its answer. */
  ask(type, data) {
    return new Promise((resolve) => {
      const id = (counted += 1);
      this.asked.set(id, resolve);
      this.send(type, data, id);
    });
  }

  /** Fill the node around the frame, which takes the focus once it is there. */
  fill() {
    style(this.node, 'border:none;width:100%;height:100%;display:block;color-scheme:light only');
    this.node.removeAttribute('scrolling');
    this.node.addEventListener('load', () => this.node.focus());
  }

  /** Show the frame over the page. Returns a function that takes both away, and gives the focus back. */
  cover() {
    const before = document.activeElement;
    const node = document.createElement('div');
    style(node, 'position:fixed;inset:0;z-index:2147483647;margin:0;border:none;display:block');
    this.fill();
    node.appendChild(this.node);
    document.body.insertBefore(node, document.body.firstChild);
    return () => {
      this.remove();
      node.remove();
      if (before && before.focus) before.focus();
    };
  }

  /** Take the frame out of the page; what it would still have answered has failed. */
  remove() {
    this.node.remove();
    frames.delete(this);
    for (const answer of this.asked.values()) answer({ error: { type: 'invalid_request_error', message: GONE } });
    this.asked.clear();
  }
}

const GONE =
  'We could not retrieve data from the specified Element. Please make sure the Element you are attempting to use is' +
  ' still mounted.';

/** The frame that speaks with the API for one `Stripe` object. */
class Controller {
  constructor(given) {
    this.frame = new Frame('controller', {
      given,
      title: 'Secure payment controller',
      name: '__privateStripeController',
    });
    this.frame.node.setAttribute('aria-hidden', 'true');
    this.frame.node.tabIndex = -1;
    style(
      this.frame.node,
      'border:none;margin:0;padding:0;width:1px;min-width:100%;overflow:hidden;display:block;' +
        'visibility:hidden;position:fixed;height:1px;pointer-events:none;user-select:none',
    );
    bodyReady().then(() => document.body.appendChild(this.frame.node));
  }

  /**
   * Call the API. Returns what it answered, `{error}` for a refusal.
   *
   * fields: the names of the frames whose content is added, and `at`, the place where it belongs.
   */
  async call(method, path, params = {}, fields = null) {
    return this.ask('call', { method, path, params, fields });
  }

  ask(type, data) {
    if (!this.frame.node.isConnected && document.body) document.body.appendChild(this.frame.node);
    return this.frame.ask(type, data);
  }
}
