/** The Elements of a Checkout Session, by the names of their calls: which kind, and with what options. */
const PARTS = {
  Payment: ['payment', {}],
  BillingAddress: ['address', { mode: 'billing' }],
  ShippingAddress: ['address', { mode: 'shipping' }],
  ExpressCheckout: ['expressCheckout', {}],
  CurrencySelector: ['currencySelector', {}],
  ContactDetails: ['contactDetails', {}],
};
const ACTIONS =
  'applyPromotionCode removePromotionCode updateShippingAddress updateBillingAddress updatePhoneNumber updateEmail' +
  ' updateIndividualName updateBusinessName updateLineItemQuantity updateTaxIdInfo updateShippingOption';

/** The Elements of a Checkout Session. */
class CheckoutElements extends Elements {
  constructor(session, options) {
    super(session.stripe, options);
    Object.defineProperty(this, '_checkout', { value: session });
  }

  async _session() {
    const { page, problem } = await this._checkout.load();
    if (problem) return problem;
    const preference = { ordered_payment_method_types: page.payment_method_types };
    return { payment_method_preference: preference, business_name: page.business_name };
  }

  get _saves() {
    return Boolean(this._checkout.page && this._checkout.page.reuses);
  }

  get _mayConfirm() {
    return true;
  }

  _part(name, options = {}) {
    const [kind, more] = PARTS[name];
    if (this._find(name)) refuse(`This Checkout Session has a ${name} Element already.`);
    const made = new Element(this, kind, { ...options, ...more });
    this._made.set(name === 'Payment' ? kind : name, made);
    made.on('change', (event) => this._checkout.typed(name, event));
    return made;
  }

  _find(name) {
    return this._made.get(name === 'Payment' ? 'payment' : name) || null;
  }
}

/** A Checkout Session on a shop's own page. `page.checkout` is what the API says of it, in the form of `session()`. */
class CheckoutSession {
  constructor(stripe, { clientSecret, fetchClientSecret, elementsOptions, defaultValues = {} } = {}) {
    this.stripe = stripe;
    this.page = null;
    this.defaults = defaultValues;
    this.listeners = new Listeners();
    this.secret = (async () => (fetchClientSecret ? fetchClientSecret() : clientSecret))();
    this.group = new CheckoutElements(this, elementsOptions);
  }

  /** Have the controller do something with the session. Returns `{page}` as it is then, and the `problem` if any. */
  async ask(deed, data) {
    let secret;
    try {
      secret = await this.secret;
    } catch (error) {
      return { problem: { type: 'error', error: { message: String(error.message || error), code: null } } };
    }
    const { locale } = this.group._given;
    const found = await this.stripe._controller.ask('checkout', { deed, secret, locale, ...data });
    if (found.page) this.page = found.page;
    return found;
  }

  load() {
    if (!this.loading) this.loading = this.ask('load', { defaults: this.defaults });
    return this.loading;
  }

  async do(deed, data) {
    await this.load();
    const { page, problem } = await this.ask(deed, data);
    if (page) this.listeners.tell('change', this.session());
    return problem || { type: 'success', session: this.session() };
  }

  again() {
    return this.do('load', { defaults: {} });
  }

  session() {
    const payment = this.group._find('Payment');
    const typed = !payment || !payment._frame || payment._state.complete;
    return { ...this.page.checkout, canConfirm: this.page.checkout.canConfirm && typed };
  }

  /** What a customer typed into an Element: a complete address or email belongs to the session. */
  typed(name, event) {
    if (name === 'Payment') {
      if (this.page) this.listeners.tell('change', this.session());
    } else if (event.complete) {
      const [action, value] = event.value.address ? [name, event.value] : ['Email', event.value.email];
      this.do('change', { action: `update${action}`, value });
    }
  }

  async confirm(args = {}) {
    const parts = {};
    for (const name of ['BillingAddress', 'ShippingAddress', 'ContactDetails']) {
      const made = this.group._find(name);
      if (made && made._frame) parts[name] = made._name;
    }
    await this.load();
    const typed = !args.paymentMethod && this.page && this.page.needs_method;
    const fields = !typed ? null : { ...this.group._paymentFrames('confirm'), at: 'method' };
    let done = await this.do('confirm', { args: plain(args), parts, fields });
    if (done.type === 'error') return done;
    const { intent, session_id: id, return_url: own } = this.page;
    if (intent) {
      const problem = await this.step(intent);
      done = await this.again();
      if (problem) {
        const { message, decline_code: declineCode = null } = problem;
        return { type: 'error', error: { message, code: 'paymentFailed', paymentFailed: { declineCode } } };
      }
    }
    const back = args.returnUrl || own;
    if (args.redirect === 'if_required' || !back || done.type === 'error') return done;
    window.location.assign(back.replaceAll('{CHECKOUT_SESSION_ID}', id));
    return new Promise(() => {});
  }

  /** Take the next step of an intent. Returns what went wrong. */
  async step({ type, client_secret: secret, next_action: next }) {
    const address = pageOf(next);
    if (!address) return null;
    if (!new URL(address, HOME).pathname.startsWith('/3ds')) {
      window.location.assign(address);
      return new Promise(() => {});
    }
    await this.stripe._intents.challenge({ stripe_js: address }, type, secret);
    return (await this.stripe._intents.outcome(type, secret)).error;
  }

  async runServerUpdate(update) {
    try {
      await update();
    } catch (problem) {
      return { type: 'error', error: { message: problem.message, code: null } };
    }
    return this.again();
  }

  async validateElements() {
    const { error } = await this.group.submit();
    if (!error) return { type: 'success', session: this.session() };
    const { message } = error;
    const element = error.code === 'incomplete_email' ? 'contactDetails' : 'payment';
    return { type: 'error', error: { code: 'validation_error', message, validation_errors: [{ message, element }] } };
  }

  get actions() {
    const none = { type: 'error', error: { message: 'This Checkout Session has no optional items.', code: null } };
    const own = { getSession: () => this.session() };
    for (const name of ['addOptionalLineItem', 'removeOptionalLineItem']) own[name] = async () => none;
    for (const name of ['confirm', 'runServerUpdate', 'validateElements']) own[name] = (given) => this[name](given);
    for (const action of ACTIONS.split(' ')) own[action] = (value) => this.do('change', { action, value });
    return own;
  }
}

/** What `initCheckoutElementsSdk()` returns. React spreads it, so that it is an object with calls of its own. */
function checkoutOf(stripe, options) {
  const session = new CheckoutSession(stripe, options);
  const { group } = session;
  const sdk = {
    on: (type, handler) => session.listeners.add(type, handler),
    async loadActions() {
      const { problem } = await session.load();
      return problem || { type: 'success', actions: session.actions };
    },
    changeAppearance: (appearance) => group.update({ appearance }),
    loadFonts: (fonts) => group.update({ fonts }),
  };
  for (const name of Object.keys(PARTS)) {
    sdk[`create${name}Element`] = (given) => group._part(name, given);
    sdk[`get${name}Element`] = () => group._find(name);
  }
  for (const name of ['TaxId', 'Terms', 'LinkSignup']) {
    sdk[`create${name}Element`] = () => refuse(`create${name}Element() is not served here.`);
    sdk[`get${name}Element`] = () => null;
  }
  return sdk;
}

/** `initCheckout()` before clover: a promise of the session with its Elements and actions. */
async function wholeCheckout(stripe, options) {
  const { loadActions, ...sdk } = checkoutOf(stripe, options);
  const { actions, error } = await loadActions();
  if (error) refuse(error.message);
  const { getSession: session, ...calls } = actions;
  return { ...sdk, ...calls, session };
}
