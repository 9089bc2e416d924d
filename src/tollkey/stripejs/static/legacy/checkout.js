/** Legacy Checkout (`/checkout.js`): a form over the page that makes a token of a card. */
class CheckoutHandler {
  constructor(options) {
    this._options = options;
    this._cover = null;
  }

  open(more = {}) {
    const options = { ...this._options, ...more };
    if (!options.key) refuse('StripeCheckout.configure() needs a key.');
    if (this._cover) return;
    const { key, name, description, amount, currency, panelLabel, email, zipCode } = options;
    const shown = { name, description, amount, currency, panelLabel, email, zipCode };
    const frame = new Frame('checkout-popup', {
      title: 'Secure checkout frame',
      name: 'stripe_checkout_app',
      given: { key, locale: options.locale || 'en' },
      listen: (type, data) => {
        if (type !== 'token' && type !== 'closed') return;
        this.close();
        if (type === 'token' && options.token) options.token(data, {});
        if (options.closed) options.closed();
      },
    });
    frame.node.className = 'stripe_checkout_app';
    frame.send('options', shown);
    this._cover = frame.cover();
    if (options.opened) options.opened();
  }

  close() {
    if (this._cover) this._cover();
    this._cover = null;
  }
}

/** The button that a `<script class="stripe-button" data-key=…>` within a form stands for. */
function addButton(made) {
  const form = made.closest('form');
  if (!form) refuse('A stripe-button script belongs into a form.');
  const { label, panelLabel, ...data } = made.dataset;
  const field = (name, value) => {
    const input = document.createElement('input');
    Object.assign(input, { type: 'hidden', name, value });
    form.appendChild(input);
  };
  const handler = new CheckoutHandler({
    ...data,
    panelLabel,
    token(token) {
      field('stripeToken', token.id);
      field('stripeTokenType', token.type);
      if (token.email) field('stripeEmail', token.email);
      form.submit();
    },
  });
  const button = document.createElement('button');
  button.type = 'submit';
  button.className = 'stripe-button-el';
  button.textContent = label || 'Pay with Card';
  button.addEventListener('click', (event) => {
    event.preventDefault();
    handler.open();
  });
  made.after(button);
}

window.StripeCheckout = { configure: (options) => new CheckoutHandler(options || {}), __app: {} };
if (script.classList.contains('stripe-button')) addButton(script);
