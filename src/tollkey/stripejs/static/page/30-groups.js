/** Options that are taken without effect, and why. */
const IDLE = {
  customPaymentMethods: 'Custom payment methods are not shown.',
  customerOptions: 'Use customerSessionClientSecret.',
  externalPaymentMethodTypes: 'External payment methods are not shown.',
  fonts: 'The frames use the fonts of the machine.',
};

/** What the API is told of an intent that will be made later. */
const DEFERRED =
  'amount currency setup_future_usage capture_method on_behalf_of payment_method_types allowed_payment_method_types' +
  ' excluded_payment_method_types payment_method_configuration';

/** The Elements of one form: what `stripe.elements()` returns. */
class Elements {
  constructor(stripe, options = {}) {
    Object.defineProperties(this, {
      _stripe: { value: stripe },
      _options: { value: { ...options }, writable: true },
      _made: { value: new Map() },
      _listeners: { value: new Listeners() },
      _asked: { value: null, writable: true },
      _express: { value: null, writable: true },
      _selected: { value: null, writable: true },
      _submitted: { value: false, writable: true },
    });
    if (options.clientSecret !== undefined && !kindOf(options.clientSecret)) {
      refuse(
        'Invalid value for elements(): clientSecret should be a client secret of the form ${id}_secret_${secret}.' +
          ` You specified: ${options.clientSecret}.`,
      );
    }
    this._warn(options);
    if (options.clientSecret && options.mode) {
      refuse('Invalid value for elements(): pass either clientSecret, or mode with amount and currency, not both.');
    }
    if (
      ['payment', 'subscription'].includes(options.mode) &&
      (!Number.isInteger(options.amount) || !options.currency)
    ) {
      refuse(
        `Invalid value for elements(): mode '${options.mode}' needs an amount in the smallest unit, and a currency.`,
      );
    }
  }

  /** Say which options have no effect here: what works without them goes on. */
  _warn(options) {
    const idle = Object.keys(options).filter((name) => IDLE[name] && options[name] !== undefined);
    if (idle.length)
      console.warn(idle.map((name) => `elements(): ${name} has no effect here. ${IDLE[name]}`).join('\n'));
  }

  /** What the address of a frame says. */
  get _given() {
    const { locale } = this._options;
    return { ...this._stripe._given, ...(locale && { locale }) };
  }

  create(kind, options) {
    if (!Object.hasOwn(KINDS, kind)) {
      refuse(
        (Object.hasOwn(UNSUPPORTED, kind) && UNSUPPORTED[kind]) ||
          'A valid Element name must be provided. Valid Elements are: ' +
            `${Object.keys(KINDS).join(', ')}; you passed: ${kind}.`,
      );
    }
    if (KINDS[kind].checkout)
      refuse(`The Element ${kind} belongs to a Checkout Session: see initCheckoutElementsSdk().`);
    if (this._made.has(kind) && kind !== 'address') {
      refuse(`Can only create one Element of type ${kind} through this Elements instance.`);
    }
    if (KINDS[kind].session && !this._options.clientSecret && !this._options.mode) {
      refuse(`To create a ${kind} Element, pass a clientSecret, or a mode with amount and currency, to elements().`);
    }
    const made = new Element(this, kind, options);
    this._made.set(kind, made);
    return made;
  }

  getElement(kind) {
    return this._made.get(kind && kind.__elementType ? kind.__elementType : kind) || null;
  }

  on(type, handler) {
    this._listeners.add(type, handler);
    return this;
  }

  off(type, handler) {
    this._listeners.remove(type, handler);
    return this;
  }

  async update(options = {}) {
    const { clientSecret, ...changes } = options;
    if (clientSecret !== undefined && clientSecret !== this._options.clientSecret) {
      refuse('elements.update() cannot change the clientSecret. Create a new Elements instance.');
    }
    const before = this._given.locale;
    this._options = { ...this._options, ...changes };
    this._submitted = false;
    if (this._given.locale !== before) for (const made of this._made.values()) made._again();
    await this._refresh();
    this._listeners.tell('update-end', {});
  }

  async fetchUpdates() {
    if (!this._options.clientSecret) {
      refuse('elements.fetchUpdates() needs an Elements instance that was created with a clientSecret.');
    }
    const { error } = await this._refresh();
    return error ? { error: { message: error.message, status: 'payment_element_error' } } : {};
  }

  async _refresh() {
    this._asked = null;
    const found = this._needsSession ? await this._session() : {};
    await Promise.all([...this._made.values()].map((made) => made._send()));
    return found;
  }

  get _needsSession() {
    return [...this._made.keys()].some((kind) => KINDS[kind].session);
  }

  /** What the API says of the intent, or of the one that will be made (`/v1/elements/sessions`). */
  _session() {
    if (!this._asked) this._asked = this._stripe._controller.call('GET', '/v1/elements/sessions', this._intent());
    return this._asked;
  }

  _intent() {
    const options = this._options;
    const more = { locale: this._shown().locale, customer_session_client_secret: options.customerSessionClientSecret };
    if (options.clientSecret)
      return { type: kindOf(options.clientSecret), client_secret: options.clientSecret, ...more };
    if (!options.mode) refuse('elements(): this Element needs a clientSecret, or a mode with amount and currency.');
    const named = (name) => options[name] ?? options[name.replace(/_(.)/g, (all, letter) => letter.toUpperCase())];
    const deferred = { mode: options.mode };
    for (const name of DEFERRED.split(' ')) if (named(name) !== undefined) deferred[name] = named(name);
    return { type: 'deferred_intent', deferred_intent: deferred, ...more };
  }

  /** Whether what is typed will be charged again later. */
  get _saves() {
    const { clientSecret, mode, setupFutureUsage, setup_future_usage: older } = this._options;
    if (clientSecret) return kindOf(clientSecret) === 'setup_intent';
    return mode === 'setup' || mode === 'subscription' || Boolean(setupFutureUsage || older);
  }

  async submit() {
    for (const made of this._made.values()) {
      const skipped = this._express && made._kind === 'payment';
      if (KINDS[made._kind].wide && made._frame && !skipped) {
        const found = await made._frame.ask('check');
        if (found.error) return { error: found.error };
        if (found.selectedPaymentMethod) this._selected = found.selectedPaymentMethod;
      }
    }
    this._submitted = true;
    return this._selected ? { selectedPaymentMethod: this._selected } : {};
  }

  get _mayConfirm() {
    return this._options.clientSecret || this._submitted;
  }

  /** The frames of the Elements that say how it is paid; refuses when there is no payment Element among them. */
  _paymentFrames(call) {
    const wide = [...this._made.values()].filter((made) => KINDS[made._kind].wide);
    const payment = this._express || this._made.get('payment');
    const out = this._express ? 'payment' : 'expressCheckout';
    if (!payment) {
      refuse(
        `Invalid value for ${call}(): elements should have a mounted Payment Element or Express Checkout Element.`,
      );
    }
    if (!this._mayConfirm) {
      refuse(`elements.submit() must be called before ${call}(). Call it as soon as the customer presses your button.`);
    }
    return {
      frames: wide.filter((made) => made === payment || (made._frame && made._kind !== out)).map((made) => made._name),
    };
  }

  /** What the frames need to know of the options. */
  _shown() {
    return { locale: this._given.locale, ...this._options, saves: this._saves };
  }

  _forget(made) {
    for (const [key, one] of this._made) if (one === made) this._made.delete(key);
  }

  /** The frames of the fields of a card: of the Element itself, and of those beside it. */
  _framesWith(element) {
    const split = ['cardNumber', 'cardExpiry', 'cardCvc'];
    const beside = split.includes(element._kind) ? split.map((kind) => this._made.get(kind)) : [];
    return [element, ...beside.filter((one) => one && one !== element && one._frame)].map((one) => one._name);
  }
}

/** Elements that are not served, and why. */
const UNSUPPORTED = {};
for (const [names, why] of [
  ['linkSignup paymentForm taxId terms', 'Use the actions of a Checkout Session.'],
  ['paymentMethodMessaging', 'Messages of pay-later providers are not simulated.'],
  [
    'issuingAddToWalletButton issuingCardCopyButton issuingCardCvcDisplay issuingCardExpiryDisplay' +
      ' issuingCardNumberDisplay issuingCardPinDisplay',
    'Issuing Elements are not served.',
  ],
]) {
  for (const name of names.split(' ')) UNSUPPORTED[name] = `The Element ${name} is not served here. ${why}`;
}
