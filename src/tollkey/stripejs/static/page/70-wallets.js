const WALLET_ADDRESS = {
  line1: '1 Main Street',
  line2: null,
  city: 'Austin',
  state: 'TX',
  postal_code: '78701',
  country: 'US',
};

/** The wallets that a test asks for in the page; browsers of tests have none of their own. */
function walletsTold() {
  const told = document.querySelector('meta[name="tollkey-wallets"]');
  return told ? told.content.split(/[\s,]+/).filter(Boolean) : [];
}

function offered(wallets) {
  if (!wallets.length) return undefined;
  const named = (name) => name.replace(/_(.)/g, (all, letter) => letter.toUpperCase());
  return Object.fromEntries(wallets.map((name) => [named(name), true]));
}

/** What `stripe.paymentRequest()` returns. */
class PaymentRequest extends Listening {
  constructor(stripe, options) {
    super();
    if (!options || !options.country || !options.currency || !options.total) {
      refuse('paymentRequest() needs country, currency and total.');
    }
    this._stripe = stripe;
    this._options = options;
    this._showing = false;
  }

  async canMakePayment() {
    const wallets = walletsTold();
    if (!wallets.length) return null;
    return {
      applePay: wallets.includes('apple_pay'),
      googlePay: wallets.includes('google_pay'),
      link: wallets.includes('link'),
    };
  }

  isShowing() {
    return this._showing;
  }

  update(options) {
    if (this._showing) refuse('paymentRequest.update() cannot be called while the payment interface is shown.');
    this._options = { ...this._options, ...options };
  }

  abort() {
    this._showing = false;
    this._listeners.tell('cancel', {});
  }

  /** Stands in for the wallet: the customer agrees at once, with a test card. */
  async show() {
    if (this._showing) refuse('paymentRequest.show() is already shown.');
    this._showing = true;
    const { _controller: controller } = this._stripe;
    const card = { type: 'card', card: { token: 'tok_visa' } };
    const ways = {
      paymentmethod: ['paymentMethod', () => controller.call('POST', '/v1/payment_methods', card)],
      source: ['source', () => controller.call('POST', '/v1/sources', { type: 'card', token: 'tok_visa' })],
      token: ['token', () => controller.call('GET', '/v1/tokens/tok_visa')],
    };
    for (const [type, [field, make]] of Object.entries(ways)) {
      if (!this._listeners.has(type)) continue;
      const complete = () => (this._showing = false);
      const made = await make();
      const payer = { payerName: 'Jenny Rosen', payerEmail: 'jenny@example.com', payerPhone: null };
      this._listeners.tell(type, {
        [field]: made,
        complete,
        ...payer,
        walletName: walletsTold()[0],
        methodName: 'basic-card',
      });
      return;
    }
    this._showing = false;
  }
}
