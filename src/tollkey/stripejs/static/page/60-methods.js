/** Calls that are named after a type of payment method. */
const PAYMENTS =
  'AcssDebit Affirm AfterpayClearpay Alipay AuBecsDebit BacsDebit Bancontact Billie Blik Boleto Card Cashapp' +
  ' CustomerBalance Eps Fpx Giropay GrabPay Ideal Klarna Konbini Mobilepay Multibanco Oxxo P24 PayByBank' +
  ' PayNow PayPal Pix PromptPay SepaDebit Sofort Twint UsBankAccount WechatPay';
const SETUPS =
  'AcssDebit AmazonPay AuBecsDebit BacsDebit Bancontact Blik Card Cashapp Ideal PayPal SepaDebit Sofort' +
  ' UsBankAccount';
/** Types that are written otherwise than their calls. */
const WRITTEN = { GrabPay: 'grabpay', PayNow: 'paynow', PayPal: 'paypal', PromptPay: 'promptpay' };
const typeOf = (name) => WRITTEN[name] || name.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase();

/** What is not served, and why. Each call throws; nothing is passed over in silence. */
const REFUSED = {
  collectBankAccountForPayment: 'Financial Connections is not simulated; use confirmUsBankAccountPayment with numbers.',
  collectBankAccountForSetup: 'Financial Connections is not simulated; use confirmUsBankAccountSetup with numbers.',
  collectBankAccountToken: 'Financial Connections is not simulated.',
  collectFinancialConnectionsAccounts: 'Financial Connections is not simulated.',
  createEphemeralKeyNonce: 'Issuing Elements are not served.',
  createRadarSession: 'Radar is not simulated.',
  initCheckoutFormSdk: 'Use initCheckoutElementsSdk(), or Embedded Checkout.',
  initializePricing: 'Pricing is not simulated.',
  processOrder: 'The Orders API is not simulated.',
  retrieveOrder: 'The Orders API is not simulated.',
  verifyIdentity: 'Send the customer to the url of the VerificationSession.',
};

function addCalls(prototype) {
  for (const [names, end, kind] of [
    [PAYMENTS, 'Payment', 'payment_intent'],
    [SETUPS, 'Setup', 'setup_intent'],
  ]) {
    for (const name of names.split(' ')) {
      const call = `confirm${name}${end}`;
      prototype[call] = function (secret, data, options) {
        return this._intents.confirm(call, kind, typeOf(name), secret, data, options);
      };
    }
  }
  for (const [call, why] of Object.entries(REFUSED)) {
    prototype[call] = async () => refuse(`stripe.${call}() is not served here. ${why}`);
  }
}
