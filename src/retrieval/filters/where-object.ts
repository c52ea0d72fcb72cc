/** `{ year: { gte: 1990 }, not: { genres: { has: 'Horror' } } }` → predicate. */
import { invalidArgument, NighError } from '../../core/errors.js';
import { isPlainObject, joinPath, refuseUnknownKeys } from '../../core/params.js';
import {
  deepest,
  longestList,
  mostTests,
  type Operator,
  operators,
  type Predicate,
  type Test,
  type WhereValue,
} from './predicate.js';

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION naming `path` */
export function predicateOfObject(value: unknown, path: string): Predicate {
  const budget = { tests: mostTests };
  return readWhere(value, path, 0, budget);
}

interface Budget {
  tests: number;
}

function readWhere(value: unknown, path: string, depth: number, budget: Budget): Predicate {
  if (!isPlainObject(value)) throw invalidArgument(path, 'an object of attributes and conditions', value);
  if (depth > deepest)
    throw new NighError('INVALID_ARGUMENT', `${path}: expected at most ${deepest} levels, got more.`);
  const of: Predicate[] = [];
  for (const [key, given] of Object.entries(value)) {
    const place = joinPath(path, key);
    if (given === undefined) continue;
    if (key === 'not') of.push({ kind: 'not', of: readWhere(given, place, depth + 1, budget) });
    else if (key === 'and' || key === 'or') of.push({ kind: key, of: readList(given, place, depth, budget) });
    else of.push(...readAttribute(key, given, place, budget));
  }
  return of.length === 1 ? of[0]! : { kind: 'and', of };
}

function readList(value: unknown, path: string, depth: number, budget: Budget): Predicate[] {
  if (!Array.isArray(value)) throw invalidArgument(path, 'an array of objects of attributes and conditions', value);
  return value.map((each, i) => readWhere(each, `${path}[${i}]`, depth + 1, budget));
}

function readAttribute(attribute: string, value: unknown, path: string, budget: Budget): Test[] {
  const test = (operator: Test['operator'], operand: Test['operand'], place: string): Test => {
    if (budget.tests-- === 0) {
      throw new NighError('INVALID_ARGUMENT', `${place}: expected at most ${mostTests} conditions in all, got more.`);
    }
    return { kind: 'test', attribute, operator, operand, place };
  };
  if (Array.isArray(value)) return [test('isOneOf', readValues(value, path), path)];
  if (!isPlainObject(value)) return [test('is', readValue(value, path), path)];
  refuseUnknownKeys(value, operators, path);
  const given = Object.entries(value).filter(([, operand]) => operand !== undefined);
  if (given.length === 0) throw invalidArgument(path, `a value, or one of ${operators.join(', ')}`, value);
  return given.map(([key, operand]) => {
    const operator = key as Operator;
    const place = joinPath(path, operator);
    return test(operator, readOperand(operator, operand, place), place);
  });
}

function readOperand(operator: Operator, operand: unknown, place: string): Test['operand'] {
  if (operator === 'in' || operator === 'hasAny' || operator === 'hasAll') return readValues(operand, place);
  if (operator !== 'exists') return readValue(operand, place);
  if (typeof operand !== 'boolean') throw invalidArgument(place, 'true or false', operand);
  return operand;
}

function readValue(value: unknown, path: string): WhereValue {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw invalidArgument(path, 'a number or a string', value);
}

function readValues(values: unknown, path: string): readonly WhereValue[] {
  if (!Array.isArray(values) || values.length > longestList) {
    throw invalidArgument(path, `an array of at most ${longestList} numbers or strings`, values);
  }
  return values.map((value, i) => readValue(value, `${path}[${i}]`));
}
