/** What `Stripe('pk_…')` returns. */
class StripeObject {
  constructor(key, options = {}) {
    const given = { key, ...(options.stripeAccount && { account: options.stripeAccount }) };
    if (options.apiVersion) given.version = options.apiVersion;
    if (options.locale) given.locale = options.locale;
    Object.defineProperties(this, {
      _given: { value: given },
      _wrappers: { value: [] },
      _keyMode: { value: key.startsWith('pk_live_') ? 'live' : 'test' },
    });
    Object.defineProperty(this, '_controller', { value: new Controller(given) });
    Object.defineProperties(this, { _intents: { value: new Intents(this) }, _tokens: { value: new Tokens(this) } });
  }

  _registerWrapper(wrapper) {
    this._wrappers.push(wrapper);
  }

  registerAppInfo(wrapper) {
    if (!wrapper || typeof wrapper.name !== 'string') refuse('registerAppInfo() needs the name of the library.');
    this._wrappers.push(wrapper);
  }

  elements(options) {
    return new Elements(this, options);
  }

  confirmPayment(given) {
    return this._intents.confirmElements('confirmPayment', 'payment_intent', given);
  }

  confirmSetup(given) {
    return this._intents.confirmElements('confirmSetup', 'setup_intent', given);
  }

  verifyMicrodepositsForPayment(secret, data) {
    return this._intents.verify('verifyMicrodepositsForPayment', 'payment_intent', secret, data);
  }

  verifyMicrodepositsForSetup(secret, data) {
    return this._intents.verify('verifyMicrodepositsForSetup', 'setup_intent', secret, data);
  }

  handleCardAction(secret) {
    return this._intents.next('handleCardAction', secret);
  }

  handleNextAction({ clientSecret } = {}) {
    return this._intents.next('handleNextAction', clientSecret);
  }

  retrievePaymentIntent(secret) {
    return this._intents.retrieve('retrievePaymentIntent', secret, 'payment_intent');
  }

  retrieveSetupIntent(secret) {
    return this._intents.retrieve('retrieveSetupIntent', secret, 'setup_intent');
  }

  createToken(kind, data) {
    return this._tokens.token(kind, data);
  }

  createSource(element, data) {
    return this._tokens.source(element, data);
  }

  retrieveSource(source) {
    return this._tokens.retrieveSource(source);
  }

  createPaymentMethod(...given) {
    return this._tokens.method(...given);
  }

  paymentRequest(options) {
    return new PaymentRequest(this, options);
  }

  createEmbeddedCheckoutPage(options) {
    return createEmbedded(this, options);
  }

  initCheckoutElementsSdk(options) {
    return checkoutOf(this, options);
  }

  /** The name in older trains; before clover a promise of everything in one object. */
  initCheckout(options) {
    return ['v3', 'acacia', 'basil'].includes(TRAIN) ? wholeCheckout(this, options) : checkoutOf(this, options);
  }

  initEmbeddedCheckout(options) {
    return createEmbedded(this, options);
  }

  redirectToCheckout(options) {
    return redirectTo(this, options);
  }

  createConfirmationToken(given) {
    return this._tokens.confirmation(given);
  }
}

addCalls(StripeObject.prototype);

/** Make the object for a publishable key. It works with and without `new`. */
function Stripe(key, options) {
  if (typeof key !== 'string' || !key) {
    refuse('Missing value for Stripe(): apiKey should be a string.');
  }
  if (/^(sk|rk)_/.test(key)) {
    refuse('You should not use your secret key with Stripe.js. Please pass a publishable key instead.');
  }
  if (!key.startsWith('pk_')) refuse(`Invalid API key for Stripe(): a publishable key begins with pk_.`);
  if (PLAIN) refuse(`Stripe.js is served by ${HOME} without TLS. Use https, or http on localhost.`);
  return new StripeObject(key, options || {});
}

Stripe.version = TRAIN === 'v3' ? 3 : TRAIN;
if (!window.Stripe) window.Stripe = Stripe;
