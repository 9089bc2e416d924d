// The card within the payment Element: number, expiration date, security code, country and postal code.
'use strict';

function cardPart(changed) {
  const made = {
    number: new Field('number', 'Card number', {
      placeholder: '1234 1234 1234 1234',
      autocomplete: 'cc-number',
      inputmode: 'numeric',
      maxlength: 23,
      'data-elements-stable-field-name': 'cardNumber',
    }),
    expiry: new Field('expiry', 'Expiration date', {
      placeholder: 'MM / YY',
      hint: 'MM / YY',
      autocomplete: 'cc-exp',
      inputmode: 'numeric',
      maxlength: 9,
      'data-elements-stable-field-name': 'cardExpiry',
    }),
    cvc: new Field('cvc', 'Security code', {
      placeholder: 'CVC',
      autocomplete: 'cc-csc',
      inputmode: 'numeric',
      maxlength: 4,
      'data-elements-stable-field-name': 'cardCvc',
    }),
  };
  const inputs = Object.fromEntries(Object.entries(made).map(([name, field]) => [name, field.input]));
  const card = new CardFields(inputs, () => {
    const shown = card.shownProblem;
    for (const [name, field] of Object.entries(made)) field.paint(shown && shown.name === name ? shown.message : null);
    changed();
  });
  const pair = node('div', { class: 'Pair' }, made.expiry.node, made.cvc.node);
  return { card, node: node('div', { class: 'Rows' }, made.number.node, pair) };
}

/** Country and postal code, where they are asked for. */
function placePart(changed, { country, postal, value = {} }) {
  const names = countryNames();
  const first = value.country || likelyCountry();
  const place = { country: null, postal: null };
  place.country = new Field('country', 'Country', { choices: names, autocomplete: 'billing country', value: first });
  place.postal = new Field('postalCode', 'ZIP code', {
    autocomplete: 'billing postal-code',
    value: value.postal_code || '',
  });
  const asked = () => postal && (country ? Boolean(POSTAL[place.country.value]) : true);
  const show = () => {
    const [label, placeholder] = POSTAL[place.country.value] || ['Postal code', ''];
    place.postal.label.textContent = say(label);
    place.postal.input.placeholder = placeholder;
    place.postal.node.hidden = !asked();
  };
  for (const [name, field] of Object.entries(place)) {
    field.input.addEventListener(name === 'country' ? 'change' : 'input', () => {
      show();
      field.paint();
      changed();
    });
  }
  show();
  const missing = () => (asked() && place.postal.value.length < 3 ? say('Your postal code is incomplete.') : null);
  return {
    node: node(
      'div',
      { class: 'Pair Places' },
      ...(country ? [place.country.node] : []),
      ...(postal ? [place.postal.node] : []),
    ),
    get problem() {
      const message = missing();
      return message && { type: 'validation_error', code: 'incomplete_zip', message };
    },
    show: (message) => place.postal.paint(message),
    get values() {
      return { ...(country && { country: place.country.value }), ...(asked() && { postal_code: place.postal.value }) };
    },
  };
}
