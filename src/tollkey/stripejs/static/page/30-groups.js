/** The Elements of one form: what `stripe.elements()` returns. */
class Elements {
  constructor(stripe, options = {}) {
    Object.defineProperties(this, {
      _stripe: { value: stripe },
      _options: { value: { ...options }, writable: true },
      _made: { value: new Map() },
      _listeners: { value: new Listeners() },
      _given: { value: stripe._given },
    });
    if (options.clientSecret !== undefined && !kindOf(options.clientSecret)) {
      refuse(
        'Invalid value for elements(): clientSecret should be a client secret of the form ${id}_secret_${secret}.' +
          ` You specified: ${options.clientSecret}.`,
      );
    }
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

  create(kind, options) {
    if (!KINDS[kind]) {
      refuse(
        UNSUPPORTED[kind] ||
          'A valid Element name must be provided. Valid Elements are: ' +
            `${Object.keys(KINDS).join(', ')}; you passed: ${kind}.`,
      );
    }
    if (this._made.has(kind) && kind !== 'address') {
      refuse(`Can only create one Element of type ${kind} through this Elements instance.`);
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
    this._options = { ...this._options, ...changes };
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
    for (const made of this._made.values()) {
      if (made._frame) made._frame.send('options', { options: made._options, group: this._shown() });
    }
    return {};
  }

  /** What the frames need to know of the options. */
  _shown() {
    return { locale: this._stripe._given.locale, ...this._options };
  }

  _forget(made) {
    if (this._made.get(made._kind) === made) this._made.delete(made._kind);
  }

  /** The frames of the fields of a card: of the Element itself, and of those beside it. */
  _cardFrames(element) {
    const beside =
      element._kind === 'card' ? [element] : ['cardNumber', 'cardExpiry', 'cardCvc'].map((k) => this._made.get(k));
    return [element, ...beside.filter((one) => one && one !== element && one._frame)].map((one) => one._name);
  }
}

/** Refusals of Elements that are not served here. */
const UNSUPPORTED = {};
