/**
 * `year >= 1990 and genres has "Comedy"` → predicate.
 *
 *   any        = all { "or" all }
 *   all        = no { "and" no }
 *   no         = "not" no | "(" any ")" | comparison
 *   comparison = attribute ( ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
 *                          | [ "not" ] "in" list | "has" ( value | ( "any" | "all" ) list ) | "starts" "with" value | "exists" )
 *   list       = "[" [ value { "," value } ] "]"
 *
 * A value is a number, a text in quotes of either kind (a backslash takes the next character as it is), or one bare word. An attribute that is no
 * plain word stands between backquotes. Words of the grammar may be written in capitals.
 */
import { NighError } from '../../core/errors.js';
import {
  deepest,
  longestList,
  longestText,
  mostTests,
  type Predicate,
  type Test,
  type WhereValue,
} from './predicate.js';

interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign' | 'end';
  /** What it means: without quotes. */
  readonly text: string;
  /** Where it begins. */
  readonly at: number;
}

const signs: Readonly<Record<string, Test['operator']>> = {
  '=': 'eq',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
};
const space = /\s*/y;
const number = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy;
const word = /[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]*/uy;
const sign = /==|!=|<=|>=|[=<>()[\],]/y;
const reserved = new Set(['and', 'or', 'not', 'in', 'has']);

/** @throws NighError INVALID_ARGUMENT that shows the place */
export function predicateOfText(text: string, path: string): Predicate {
  if (text.length > longestText) {
    throw new NighError('INVALID_ARGUMENT', `${path}: expected at most ${longestText} characters, got ${text.length}.`);
  }
  return new Parser(text, path).whole();
}

class Parser {
  readonly #text: string;
  readonly #path: string;
  #next: Token;
  #end = 0;
  #tests = 0;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
    this.#next = this.#read();
  }

  whole(): Predicate {
    const predicate = this.#any(0);
    if (this.#next.kind !== 'end') throw this.#refusal('"and", "or" or the end');
    return predicate;
  }

  #any(depth: number): Predicate {
    return this.#chain('or', () => this.#chain('and', () => this.#no(depth)));
  }

  #chain(kind: 'and' | 'or', read: () => Predicate): Predicate {
    const of = [read()];
    while (this.#takeWord(kind)) of.push(read());
    return of.length === 1 ? of[0]! : { kind, of };
  }

  #no(depth: number): Predicate {
    if (depth > deepest) throw this.#refusal(`at most ${deepest} levels`);
    if (this.#takeWord('not')) return { kind: 'not', of: this.#no(depth + 1) };
    if (!this.#takeSign('(')) return this.#comparison();
    const inner = this.#any(depth + 1);
    if (!this.#takeSign(')')) throw this.#refusal('"and", "or" or ")"');
    return inner;
  }

  #comparison(): Predicate {
    const { kind, text: attribute, at } = this.#next;
    if (kind !== 'name' && (kind !== 'word' || reserved.has(attribute.toLowerCase()))) {
      throw this.#refusal('an attribute, "not" or "("');
    }
    if (this.#tests++ === mostTests) throw this.#refusal(`at most ${mostTests} conditions`);
    this.#advance();
    const place = `${this.#path}: character ${at + 1}`;
    const test = (operator: Test['operator'], operand: Test['operand']): Test => ({
      kind: 'test',
      attribute,
      operator,
      operand,
      place,
    });
    const operator = this.#next.kind === 'sign' ? signs[this.#next.text] : undefined;
    if (operator !== undefined) {
      this.#advance();
      return test(operator, this.#value());
    }
    if (this.#takeWord('in')) return test('in', this.#list());
    if (this.#takeWord('exists')) return test('exists', true);
    if (this.#takeWord('has')) {
      // `has any` is a tag called "any" unless a list follows.
      if (this.#aheadIsList()) return test(this.#takeWord('any') ? 'hasAny' : this.#allOf(), this.#list());
      return test('has', this.#value());
    }
    if (this.#takeWord('starts')) {
      if (!this.#takeWord('with')) throw this.#refusal('"with"');
      return test('startsWith', this.#value());
    }
    if (this.#takeWord('not')) {
      if (!this.#takeWord('in')) throw this.#refusal('"in"');
      return { kind: 'not', of: test('in', this.#list()) };
    }
    throw this.#refusal('=, !=, <, <=, >, >=, "in", "has", "starts with" or "exists"');
  }

  #allOf(): 'hasAll' {
    if (!this.#takeWord('all')) throw this.#refusal('"any" or "all"');
    return 'hasAll';
  }

  #aheadIsList(): boolean {
    return (
      this.#next.kind === 'word' && /^(any|all)$/i.test(this.#next.text) && /^\s*\[/.test(this.#text.slice(this.#end))
    );
  }

  #value(): WhereValue {
    const { kind, text } = this.#next;
    if (kind === 'number') {
      const value = Number(text);
      if (!Number.isFinite(value)) throw this.#refusal('a finite number');
      this.#advance();
      return value;
    }
    if (kind !== 'text' && (kind !== 'word' || reserved.has(text.toLowerCase()))) {
      throw this.#refusal('a number or a text in quotes');
    }
    this.#advance();
    return text;
  }

  #list(): readonly WhereValue[] {
    if (!this.#takeSign('[')) throw this.#refusal('"["');
    const values: WhereValue[] = [];
    if (this.#takeSign(']')) return values;
    do {
      if (values.length === longestList) throw this.#refusal(`at most ${longestList} values`);
      values.push(this.#value());
    } while (this.#takeSign(','));
    if (!this.#takeSign(']')) throw this.#refusal('"," or "]"');
    return values;
  }

  #takeWord(wanted: string): boolean {
    const found = this.#next.kind === 'word' && this.#next.text.toLowerCase() === wanted;
    if (found) this.#advance();
    return found;
  }

  #takeSign(wanted: string): boolean {
    const found = this.#next.kind === 'sign' && this.#next.text === wanted;
    if (found) this.#advance();
    return found;
  }

  #advance(): void {
    this.#next = this.#read();
  }

  #read(): Token {
    space.lastIndex = this.#end;
    const at = this.#end + (space.exec(this.#text)?.[0].length ?? 0);
    this.#end = at;
    if (at === this.#text.length) return { kind: 'end', text: '', at };
    const first = this.#text.charAt(at);
    if (first === '"' || first === "'" || first === '`') return this.#quoted(first, at);
    for (const [kind, pattern] of [
      ['number', number],
      ['word', word],
      ['sign', sign],
    ] as const) {
      pattern.lastIndex = at;
      const found = pattern.exec(this.#text)?.[0];
      if (found === undefined) continue;
      this.#end = at + found.length;
      return { kind, text: found, at };
    }
    const strange = String.fromCodePoint(this.#text.codePointAt(at)!);
    throw this.#refusalAt(at, 'an attribute, a value or an operator', JSON.stringify(strange));
  }

  #quoted(quote: string, at: number): Token {
    let text = '';
    for (let i = at + 1; i < this.#text.length; i++) {
      let letter = this.#text.charAt(i);
      if (letter === quote) {
        this.#end = i + 1;
        return { kind: quote === '`' ? 'name' : 'text', text, at };
      }
      if (letter === '\\' && i + 1 < this.#text.length) letter = this.#text.charAt(++i);
      text += letter;
    }
    throw this.#refusalAt(at, `a closing ${quote}`, 'the end');
  }

  #refusal(expected: string): NighError {
    const { kind, text, at } = this.#next;
    return this.#refusalAt(at, expected, kind === 'end' ? 'the end' : JSON.stringify(text.slice(0, 40)));
  }

  /** The text around the place, an arrow at it: `year >= ▸genres has "Comedy"`. */
  #refusalAt(at: number, expected: string, got: string): NighError {
    const begin = Math.max(0, at - 40);
    const before = `${begin > 0 ? '…' : ''}${this.#text.slice(begin, at)}`;
    const after = `${this.#text.slice(at, at + 40)}${at + 40 < this.#text.length ? '…' : ''}`;
    return new NighError(
      'INVALID_ARGUMENT',
      `${this.#path}: character ${at + 1}: expected ${expected}, got ${got}: ${before}▸${after}`,
    );
  }
}
