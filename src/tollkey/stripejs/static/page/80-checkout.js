/** Embedded Checkout: the page of a session in a frame, from when it is mounted until it is destroyed. */
class EmbeddedCheckout {
  constructor(stripe, secret, options) {
    Object.defineProperties(this, {
      _stripe: { value: stripe },
      _secret: { value: secret },
      _options: { value: options },
      _frame: { value: null, writable: true },
      _dead: { value: false, writable: true },
    });
  }

  mount(place) {
    if (this._dead) refuse('This Embedded Checkout has already been destroyed. Please create a new one.');
    const parent = typeof place === 'string' ? document.querySelector(place) : place;
    if (!parent || !parent.appendChild) refuse('mount() needs a DOM element, or a selector of one.');
    this.unmount();
    this._frame = new Frame('embedded-checkout', {
      title: 'Secure checkout frame',
      name: 'embedded-checkout',
      given: { ...this._stripe._given, secret: this._secret },
      listen: (type, data) => this._heard(type, data),
    });
    style(this._frame.node, 'border:none;width:100%;height:760px;display:block;color-scheme:normal');
    this._frame.node.removeAttribute('scrolling');
    parent.appendChild(this._frame.node);
  }

  _heard(type, data) {
    if (type === 'size') style(this._frame.node, `height:${data.height}px`);
    if (type !== 'complete') return;
    if (this._options.onComplete) this._options.onComplete();
    const back = data.redirect_on_completion === 'always' && data.return_url;
    if (back) window.location.assign(back.replaceAll('{CHECKOUT_SESSION_ID}', data.session_id));
  }

  unmount() {
    if (this._frame) this._frame.remove();
    this._frame = null;
  }

  destroy() {
    this.unmount();
    this._dead = true;
    embedded.delete(this._stripe);
  }
}

const embedded = new Map();

/** `createEmbeddedCheckoutPage`, which older trains call `initEmbeddedCheckout`. */
async function createEmbedded(stripe, options = {}) {
  if (embedded.has(stripe)) refuse('You cannot have multiple Embedded Checkout objects.');
  embedded.set(stripe, true);
  try {
    const secret = options.fetchClientSecret ? await options.fetchClientSecret() : options.clientSecret;
    if (!/^cs_\w+_secret_\w+$/.test(secret)) {
      refuse(
        'Embedded Checkout needs the client secret of a Checkout Session, as clientSecret or from fetchClientSecret.',
      );
    }
    return new EmbeddedCheckout(stripe, secret, options);
  } catch (problem) {
    embedded.delete(stripe);
    throw problem;
  }
}

/** `redirectToCheckout`, of older trains: to the hosted page of a session. */
async function redirectTo(stripe, { sessionId } = {}) {
  if (!sessionId)
    refuse('redirectToCheckout() needs a sessionId; sessions that are made in the browser are not served.');
  const found = await stripe._controller.call('GET', `/v1/payment_pages/${encodeURIComponent(sessionId)}`);
  if (found.error) return { error: found.error };
  if (!found.url)
    return { error: { type: 'invalid_request_error', message: 'This Checkout Session has no page to go to.' } };
  window.location.assign(found.url);
  return new Promise(() => {});
}
