/** What kinds of Elements there are: their frame's page, after `elements-inner-`, and title.
 * token: it becomes a token. session: it asks the API for the types of payment methods. wide: it has several lines.
 * checkout: it belongs to a Checkout Session.
 */
const KINDS = {
  card: { page: 'card', title: 'Secure card payment input frame', token: true },
  cardNumber: { page: 'card', title: 'Secure card number input frame', token: true },
  cardExpiry: { page: 'card', title: 'Secure expiration date input frame' },
  cardCvc: { page: 'card', title: 'Secure CVC input frame' },
  payment: { page: 'payment', title: 'Secure payment input frame', wide: true, session: true },
  iban: { page: 'line', title: 'Secure IBAN input frame', token: true },
  auBankAccount: { page: 'line', title: 'Secure BSB and account number input frame' },
  idealBank: { page: 'line', title: 'Secure iDEAL bank selection frame' },
  epsBank: { page: 'line', title: 'Secure EPS bank selection frame' },
  p24Bank: { page: 'line', title: 'Secure P24 bank selection frame' },
  fpxBank: { page: 'line', title: 'Secure FPX bank selection frame' },
  address: { page: 'address', title: 'Secure address input frame', wide: true },
  shippingAddress: { page: 'address', title: 'Secure address input frame', wide: true },
  contactDetails: { page: 'address', title: 'Secure email input frame', wide: true },
  linkAuthentication: { page: 'address', title: 'Secure email input frame', wide: true },
  expressCheckout: { page: 'express-checkout', title: 'Secure express checkout frame', wide: true },
  paymentRequestButton: { page: 'express-checkout', title: 'Secure payment button frame', wide: true },
  currencySelector: {
    page: 'express-checkout',
    title: 'Secure currency selector frame',
    wide: true,
    checkout: true,
  },
};
const CLASSES = {
  base: 'StripeElement',
  complete: 'StripeElement--complete',
  empty: 'StripeElement--empty',
  focus: 'StripeElement--focus',
  invalid: 'StripeElement--invalid',
  webkitAutofill: 'StripeElement--webkit-autofill',
};

/** Handlers of events, by name. */
class Listeners {
  constructor() {
    this.handlers = [];
  }

  add(type, handler, once = false) {
    if (typeof type !== 'string' || typeof handler !== 'function') {
      refuse('Invalid arguments: on() takes the name of an event and a function.');
    }
    this.handlers.push({ type, handler, once });
  }

  remove(type, handler) {
    this.handlers = this.handlers.filter((one) => one.type !== type || (handler && one.handler !== handler));
  }

  has(type) {
    return this.handlers.some((one) => one.type === type);
  }

  tell(type, event) {
    for (const one of this.handlers.filter((each) => each.type === type)) {
      if (one.once) this.handlers = this.handlers.filter((each) => each !== one);
      one.handler(event);
    }
  }
}

/** What tells the page of events. */
class Listening {
  constructor() {
    Object.defineProperty(this, '_listeners', { value: new Listeners() });
  }

  on(type, handler) {
    this._listeners.add(type, handler);
    return this;
  }

  once(type, handler) {
    this._listeners.add(type, handler, true);
    return this;
  }

  off(type, handler) {
    this._listeners.remove(type, handler);
    return this;
  }
}

/** One Element: a frame within a node of the page. */
class Element extends Listening {
  constructor(group, kind, options = {}) {
    super();
    Object.defineProperties(this, {
      _group: { value: group },
      _kind: { value: kind },
      _options: { value: { ...options }, writable: true },
      _frame: { value: null, writable: true },
      _parent: { value: null, writable: true },
      _dead: { value: false, writable: true },
      _state: { value: { empty: true, complete: false }, writable: true },
    });
  }

  addEventListener(type, handler) {
    return this.on(type, handler);
  }

  removeEventListener(type, handler) {
    return this.off(type, handler);
  }

  mount(place) {
    if (this._dead) refuse('This Element has already been destroyed. Please create a new one.');
    if (!place) {
      refuse('Missing argument. Make sure to call mount() with a valid DOM element or selector.');
    }
    const parent = typeof place === 'string' ? document.querySelector(place) : place;
    if (!parent) {
      refuse(
        `The selector you specified (${place}) applies to no DOM elements that are currently on the page.` +
          ' Make sure the element exists on the page before calling mount().',
      );
    }
    if (!parent.appendChild) refuse('Invalid DOM element. Call mount() with a DOM element or a selector.');
    if (this._parent === parent && this._frame && parent.contains(this._frame.node)) return this;
    if (this._frame) this._detach();
    this._parent = parent;
    parent.replaceChildren();
    this._attach(parent);
    return this;
  }

  _attach(parent) {
    const kind = KINDS[this._kind];
    this._frame = new Frame(`elements-inner-${kind.page}`, {
      title: kind.title,
      given: { kind: this._kind, ...this._group._given },
      listen: (type, data) => this._heard(type, data || {}),
    });
    const holder = document.createElement('div');
    holder.className = '__PrivateStripeElement';
    style(
      holder,
      'margin:0;padding:0;border:none;display:block;background:transparent;position:relative;opacity:1;' +
        'clear:both;transition:none',
    );
    const edge = kind.wide ? '-4px' : '0'; // room for the outline of a field in focus
    style(
      this._frame.node,
      `border:none;margin:${edge};padding:0;width:${kind.wide ? 'calc(100% + 8px)' : '1px'};` +
        `min-width:${kind.wide ? 'calc(100% + 8px)' : '100%'};overflow:hidden;display:block;` +
        'user-select:none;transform:translate(0px);color-scheme:light only;' +
        `height:${kind.wide ? '1px' : '19.2px'}`,
    );
    holder.appendChild(this._frame.node);
    parent.appendChild(holder);
    this._paint();
    this._send();
    if (kind.wide) this._listeners.tell('loaderstart', { elementType: this._kind });
    this._label = (event) => {
      const named = event.target.closest ? event.target.closest('label') : null;
      if (named && parent.id && named.htmlFor === parent.id) this.focus();
    };
    document.addEventListener('click', this._label);
  }

  /** Load the frame anew, in another language. */
  _again() {
    const parent = this._parent;
    if (!this._frame) return;
    this._detach();
    this._parent = parent;
    this._attach(parent);
  }

  /** Send the options to the frame, with what the API says of the intent where the Element needs it. */
  async _send() {
    const frame = this._frame;
    if (!frame) return;
    const message = { options: this._options, group: this._group._shown() };
    if (KINDS[this._kind].session) {
      const found = await this._group._session();
      if (frame !== this._frame) return;
      if (found.error) {
        this._listeners.tell('loaderror', { elementType: this._kind, error: found.error });
        return;
      }
      message.types = found.payment_method_preference.ordered_payment_method_types;
      message.customer = found.customer;
      message.group = { ...this._group._shown(), business: found.business_name };
    }
    if (this._kind === 'expressCheckout' || this._kind === 'paymentRequestButton') message.wallets = walletsTold();
    frame.send('options', message);
  }

  /** What the address Element has, `{complete, isNewAddress, value}`. */
  async getValue() {
    if (!this._frame || KINDS[this._kind].page !== 'address') refuse(GONE);
    return this._frame.ask('value');
  }

  _heard(type, data) {
    const event = { elementType: this._kind, ...data };
    if (type === 'hello') return;
    if (type === 'enter') {
      const form = this._parent && this._parent.closest('form');
      if (form) form.requestSubmit();
      return;
    }
    if (type === 'wallet') {
      this._wallet(data.wallet);
      return;
    }
    if (type === 'ready' && this._kind === 'expressCheckout') event.availablePaymentMethods = offered(data.wallets);
    if (type === 'size') {
      style(this._frame.node, `height:${data.height}px`);
      return;
    }
    if (type === 'change') {
      this._state = { ...this._state, empty: data.empty, complete: data.complete, invalid: Boolean(data.error) };
      this._paint();
    }
    if (type === 'focus' || type === 'blur') {
      this._state = { ...this._state, focus: type === 'focus' };
      this._paint();
    }
    this._listeners.tell(
      type,
      type === 'ready' && this._kind !== 'expressCheckout' ? { elementType: this._kind } : event,
    );
  }

  /** A wallet's button was pressed: the page says what it is for, then the customer has confirmed. */
  _wallet(wallet) {
    if (this._kind === 'paymentRequestButton') {
      const request = this._options.paymentRequest;
      let stopped = false;
      this._listeners.tell('click', { elementType: this._kind, preventDefault: () => (stopped = true) });
      if (!stopped && request) request.show();
      return;
    }
    const event = { elementType: this._kind, expressPaymentType: wallet };
    const confirmed = () => {
      this._group._express = this;
      const billingDetails = { name: 'Jenny Rosen', email: 'jenny@example.com', phone: null, address: WALLET_ADDRESS };
      this._listeners.tell('confirm', { ...event, billingDetails, paymentFailed: () => {} });
    };
    const cancel = () => this._listeners.tell('cancel', { elementType: this._kind });
    if (this._listeners.has('click')) this._listeners.tell('click', { ...event, resolve: confirmed, reject: cancel });
    else confirmed();
  }

  _paint() {
    const names = { ...CLASSES, ...(this._options.classes || {}) };
    const shown = { base: true, ...this._state };
    for (const [state, words] of Object.entries(names)) {
      for (const word of String(words).split(/\s+/).filter(Boolean)) {
        if (this._parent) this._parent.classList.toggle(word, Boolean(shown[state]));
      }
    }
  }

  update(options = {}) {
    this._options = { ...this._options, ...options };
    this._send();
    if (options.classes) this._paint();
    return this;
  }

  _tell(type) {
    if (!this._frame) {
      refuse(`Cannot call ${type}() on an Element that is not mounted. Call mount() first, and wait for "ready".`);
    }
    this._frame.send(type);
    return this;
  }

  focus() {
    if (this._frame) this._frame.node.focus();
    return this._tell('focus');
  }

  blur() {
    return this._tell('blur');
  }

  clear() {
    return this._tell('clear');
  }

  collapse() {
    return this._tell('collapse');
  }

  _detach() {
    document.removeEventListener('click', this._label);
    const holder = this._frame.node.parentNode;
    this._frame.remove();
    if (holder) holder.remove();
    this._frame = null;
    this._state = { empty: true, complete: false };
    if (this._parent) {
      for (const words of Object.values({ ...CLASSES, ...(this._options.classes || {}) })) {
        this._parent.classList.remove(...String(words).split(/\s+/).filter(Boolean));
      }
    }
    this._parent = null;
  }

  unmount() {
    if (this._frame) this._detach();
    return this;
  }

  destroy() {
    this.unmount();
    this._dead = true;
    this._group._forget(this);
    return this;
  }

  /** The name of the frame with the fields; refuses when it is not in the page. */
  get _name() {
    if (!this._frame || !this._frame.node.isConnected) refuse(GONE);
    return this._frame.node.name;
  }
}
