/** A condition on the attributes of items: what `where` becomes, whether it came as an object or as text. */

/** What an attribute is compared with. */
export type WhereValue = string | number;

/** Conditions on one attribute; all of them must hold. An item that lacks the attribute meets none but `ne` and `exists: false`. */
export interface Condition {
  /** Numbers and texts: the same value. */
  readonly eq?: WhereValue;
  /** Not `eq`: another value, or none. */
  readonly ne?: WhereValue;
  /** Numbers: below. */
  readonly lt?: number;
  /** Numbers: at most. */
  readonly lte?: number;
  /** Numbers: above. */
  readonly gt?: number;
  /** Numbers: at least. */
  readonly gte?: number;
  /** Numbers and texts: one of these. */
  readonly in?: readonly WhereValue[];
  /** Texts: begins with this. */
  readonly startsWith?: string;
  /** Tags: this one is among them. */
  readonly has?: string;
  /** Tags: at least one of these is among them. */
  readonly hasAny?: readonly string[];
  /** Tags: every one of these is among them. */
  readonly hasAll?: readonly string[];
  /** Whether the item has the attribute at all. */
  readonly exists?: boolean;
}

/** One attribute: conditions, or a value (the same, or among the tags), or values of which one must be. */
export type AttributeTest = Condition | WhereValue | readonly WhereValue[];

/**
 * Which items may be returned: by attribute, all of which must hold, and by `and`, `or` and `not` of such objects. Attributes called
 * like these three can only be asked for in text, between backquotes.
 *
 * ```ts
 * const where: Where = { year: { gte: 1990 }, genres: { has: 'Comedy' }, not: { genres: 'Horror' } };
 * ```
 */
export interface Where {
  /** Every one holds. */
  readonly and?: readonly Where[];
  /** At least one holds. */
  readonly or?: readonly Where[];
  /** It does not hold. */
  readonly not?: Where;
  readonly [attribute: string]: AttributeTest | Where | readonly Where[] | undefined;
}

export const operators = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'startsWith',
  'has',
  'hasAny',
  'hasAll',
  'exists',
] as const;

export type Operator = (typeof operators)[number];

/** One comparison. `is` and `isOneOf` are what a bare value and a bare list say: they go by the attribute's type. */
export interface Test {
  readonly kind: 'test';
  readonly attribute: string;
  readonly operator: Operator | 'is' | 'isOneOf';
  readonly operand: WhereValue | boolean | readonly WhereValue[];
  /** Where it stands, for messages: `where.year.gte`, or `where: character 6`. */
  readonly place: string;
}

export type Predicate =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'not'; readonly of: Predicate }
  | Test;

/** How deep predicates may be nested. */
export const deepest = 32;
/** How many comparisons a predicate may have. */
export const mostTests = 1000;
/** How many values a list may have. */
export const longestList = 10_000;
/** How long a predicate as text may be, in characters. */
export const longestText = 100_000;
