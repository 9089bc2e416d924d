// Labelled fields, as the Elements of several lines have them. The class names are those that `appearance.rules` knows.
'use strict';

const OLD = !['basil', 'clover', 'dahlia', 'endive'].includes(given.train);

/**
 * A field with its label and the place of its error. Other people's tests know the inputs of the payment Element as
 * `#Field-numberInput`, those of newer trains as `#payment-numberInput`: the input has the one, its frame the other.
 */
class Field {
  constructor(name, label, { group = 'payment', choices, hint = '', value = '', placeholder, ...attributes } = {}) {
    const more = { placeholder: placeholder && say(placeholder), ...attributes };
    const ids = [`Field-${name}`, `${group}-${name}`];
    const [own, other] = OLD ? ids : ids.reverse();
    this.name = name;
    this.error = node('p', { class: 'Error', id: `${own}Error`, role: 'alert', hidden: true });
    const common = { id: `${own}Input`, name, class: 'Input Input--empty', 'aria-invalid': 'false', ...more };
    this.input = choices
      ? node('select', common, ...choices.map(([code, shown]) => node('option', { value: code }, shown)))
      : node('input', { type: 'text', spellcheck: 'false', autocorrect: 'off', ...common });
    this.input.setAttribute('aria-describedby', this.error.id);
    this.label = node('label', { class: 'Label', for: `${own}Input` }, say(label));
    if (hint) this.label.append(node('span', { class: 'Hidden' }, ` ${say(hint)}`));
    this.node = node(
      'div',
      { class: `Field Field-${name}` },
      this.label,
      node(choices ? 'div' : 'label', { id: `${other}Input`, class: 'Frame' }, this.input),
      this.error,
    );
    this.value = value;
    this.input.addEventListener('focus', () => this.label.classList.add('Label--focused'));
    this.input.addEventListener('blur', () => this.label.classList.remove('Label--focused'));
  }

  get value() {
    return this.input.value.trim();
  }

  set value(text) {
    this.input.value = text;
    this.paint();
  }

  /** Show the state, and an error message or none. */
  paint(message = null) {
    const bad = Boolean(message);
    this.input.classList.toggle('Input--empty', !this.input.value);
    this.input.classList.toggle('Input--invalid', bad);
    this.label.classList.toggle('Label--invalid', bad);
    this.input.setAttribute('aria-invalid', String(bad));
    this.error.hidden = !bad;
    this.error.textContent = message || '';
  }
}

const THEMES = {
  stripe: {
    colorPrimary: '#0570de',
    colorBackground: '#ffffff',
    colorText: '#30313d',
    colorDanger: '#c0123c',
    soft: '#5f6471',
    line: '#d5dbe1',
    borderRadius: '5px',
  },
  night: {
    colorPrimary: '#85d996',
    colorBackground: '#30313d',
    colorText: '#f4f4f5',
    colorDanger: '#fe87a1',
    soft: '#c3c5cc',
    line: '#63656f',
    borderRadius: '5px',
  },
  flat: {
    colorPrimary: '#0570de',
    colorBackground: '#f1f1f1',
    colorText: '#30313d',
    colorDanger: '#c0123c',
    soft: '#565b66',
    line: '#f1f1f1',
    borderRadius: '5px',
  },
};
const VARIABLES = {
  colorPrimary: '--primary',
  colorBackground: '--back',
  colorText: '--text',
  colorDanger: '--danger',
  soft: '--soft',
  colorTextSecondary: '--soft',
  line: '--line',
  fontFamily: '--font',
  fontSizeBase: '--size',
  spacingUnit: '--unit',
  borderRadius: '--round',
  colorTextPlaceholder: '--hint',
  fontWeightNormal: '--weight',
  gridRowSpacing: '--rows',
  gridColumnSpacing: '--columns',
  fontLineHeight: '--height',
};

/** Show `appearance`: theme, variables, rules and the way of labels. */
function applyAppearance(appearance = {}) {
  const values = { ...(THEMES[appearance.theme] || THEMES.stripe), ...appearance.variables };
  const root = document.documentElement;
  for (const [name, property] of Object.entries(VARIABLES)) {
    if (values[name] !== undefined && harmless(String(values[name])))
      root.style.setProperty(property, String(values[name]));
  }
  root.dataset.labels = appearance.labels === 'floating' ? 'floating' : 'above';
  setSheet(
    Object.entries(appearance.rules || {})
      .map(([selector, properties]) => rule(selector, properties))
      .join(''),
  );
}
