// The language of a frame. Its texts are in `words/<language>.json`, by the English text; the server makes `WORDS` of
// them. A language that is not among them is shown in English.
'use strict';

/** The language that the page asks for, or that the browser prefers, as a tag such as `de-AT`. */
function chosenTag(asked) {
  const wishes = asked && asked !== 'auto' ? [asked] : navigator.languages;
  const codes = ['en', ...Object.keys(WORDS)];
  return wishes.find((tag) => codes.includes(tag.toLowerCase().split('-')[0])) || 'en';
}

const TAG = chosenTag(given.locale);
const TABLE = WORDS[TAG.toLowerCase().split('-')[0]] || {};
document.documentElement.lang = TAG;

/** An English text in the language of the frame. values: what stands for the names in its braces. */
function say(text, values = {}) {
  const said = Object.hasOwn(TABLE, text) ? TABLE[text] : text;
  return said.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** Where the customer is likely to be: the region of the browser's language. */
function likelyCountry() {
  try {
    return new Intl.Locale(navigator.language).region || 'US';
  } catch {
    return 'US';
  }
}
