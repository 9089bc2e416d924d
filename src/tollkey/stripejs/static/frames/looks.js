// Looks that a shop gives to the frames: styles of card Elements, and `appearance` of all others. Only known properties
// and harmless values become part of a style sheet, so that a page cannot read what is typed by means of CSS.
'use strict';

const PROPERTIES = new Set(
  (
    'accentColor backgroundColor border borderBottom borderBottomColor borderColor borderLeft' +
    ' borderRadius borderRight borderStyle borderTop borderWidth boxShadow caretColor color display fill' +
    ' fontFamily fontFeatureSettings fontSize fontSmoothing fontStyle fontVariant fontWeight gap height' +
    ' letterSpacing lineHeight margin marginBottom marginLeft marginRight marginTop maxHeight minHeight' +
    ' opacity outline outlineColor outlineOffset outlineStyle outlineWidth padding paddingBottom' +
    ' paddingLeft paddingRight paddingTop textAlign textDecoration textShadow textTransform transition' +
    ' visibility whiteSpace width wordSpacing WebkitFontSmoothing WebkitTextFillColor'
  ).split(' '),
);
// Classes with simple states, such as `.Input:hover, .Label`. One that looks at what is inside, such as `:has()`, would
// make the frame higher for a certain choice, and so tell the page of it.
const COMPOUND = '(\\.[A-Za-z][\\w-]*)+(::?[a-z-]+)*';
const SELECTOR = new RegExp(`^ *${COMPOUND}( *[ >+~,] *${COMPOUND})* *$`);

function harmless(value) {
  return /^[^{};@\\<]*$/.test(value) && !/url|image|expression|attr\s*\(/i.test(value);
}

function rule(selector, properties) {
  if (!SELECTOR.test(selector)) return '';
  const lines = Object.entries(properties || {})
    .filter(([name, value]) => PROPERTIES.has(name) && harmless(String(value)))
    .map(([name, value]) => `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${value}`);
  return lines.length ? `${selector}{${lines.join(';')}}\n` : '';
}

function setSheet(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [sheet];
}

const STATES = { base: '', complete: '.is-complete', empty: '.is-empty', invalid: '.is-invalid' };

/** Show the `style` of a card Element or another Element of one line. */
function styleFields(style = {}) {
  let text = '';
  for (const [state, suffix] of Object.entries(STATES)) {
    const own = {};
    for (const [name, value] of Object.entries(style[state] || {})) {
      if (name.startsWith(':')) text += rule(`.InputElement${suffix}${name}`, value);
      else if (name === 'iconColor') text += rule(`.Icon${suffix}`, { color: value });
      else own[name] = value;
    }
    text += rule(`.InputElement${suffix}`, own);
  }
  setSheet(text);
}
