// A symbol and not a name: a record read from hostile JSON cannot pass for markup.
const markup = Symbol('markup');

/** Markup that is safe to put into a page as it stands. Only `html` and `joinHtml` make it. */
export interface Html {
  readonly [markup]: string;
}

export type HtmlValue = Html | string | number | undefined | false | readonly (Html | string | number)[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
// C0 and C1 controls (a terminal obeys ESC), the marks that reverse the direction of text, lone surrogates, and U+FFFE/F, which XML forbids.
// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu;

/** Text from data as one harmless line: white space becomes one space each, other control characters U+FFFD. */
export const plainText = (text: string): string => text.replace(/[\t\r\n]/g, ' ').replace(unprintable, '\ufffd');

/**
 * Tagged template for HTML, XML-valid when its literal parts are. Every interpolated string is escaped, in text and in quoted attributes alike;
 * `Html` values pass as they are, lists are concatenated, `undefined` and `false` vanish.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { [markup]: parts.reduce((page, part, i) => page + render(values[i - 1]) + part) };
}

/** Several pieces with a separator between them. */
export const joinHtml = (pieces: readonly Html[], separator = ''): Html => ({ [markup]: pieces.map(toMarkup).join(escapeHtml(separator)) });

export const toMarkup = (page: Html): string => page[markup];

function render(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'object' && markup in value) return value[markup];
  if (Array.isArray(value)) return value.map(render).join('');
  return escapeHtml(String(value));
}

const escapeHtml = (text: string): string => plainText(text).replace(/[&<>"']/g, (character) => entities[character]);
