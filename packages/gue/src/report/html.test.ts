import fc from 'fast-check';
import { html, joinHtml, plainText, toMarkup } from './html';

const decode = (text: string) => text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ({ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' })[entity]!);

test('any text comes back from the page as itself, without its control characters, and makes no markup', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const page = toMarkup(html`<p title="${text}">${text}</p>`);
    const parts = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/su.exec(page)!;
    expect([decode(parts[1]), decode(parts[2])]).toEqual([plainText(text), plainText(text)]);
  }));
});

test('control characters, marks of direction and lone surrogates become U+FFFD, white space one space', () => {
  expect(plainText('a\u001b[31mb\u202ec\ud800d\te\nf \u{1f9ec}')).toBe('a\ufffd[31mb\ufffdc\ufffdd e f \u{1f9ec}');
});

test('a record that imitates markup is text', () => {
  const forged = JSON.parse('{"markup": "<script>", "Symbol(markup)": "<script>"}') as string;
  expect(toMarkup(html`${forged}`)).toBe('[object Object]');
});

test('markup, lists and nothing pass', () => {
  const items = ['a', '<'].map((item) => html`<i>${item}</i>`);
  expect(toMarkup(html`${items}${false}${undefined}${0}${joinHtml(items, ' & ')}`)).toBe('<i>a</i><i>&lt;</i>0<i>a</i> &amp; <i>&lt;</i>');
});
