import { describe, expect, it } from '@jest/globals';
import { leafCount, propertyDifferences } from '../../conformance/deploy/property-differences.ts';
import { resolveTemplate, type TemplateValues } from '../../conformance/deploy/resolve-template.ts';
import { lostEntries } from '../../conformance/deploy/stored-data.ts';

const VALUES: TemplateValues = {
  template: {
    Resources: {
      Fold: { Type: 'AWS::Lambda::Function' },
      Logs: { Type: 'AWS::Logs::LogGroup' },
      Plan: { Type: 'AWS::StepFunctions::StateMachine' },
    },
  },
  physicalIds: { Fold: 'fold-1', Logs: '/logs', Plan: 'arn:aws:states:::plan' },
  exports: { 'State:Key': 'arn:key' },
  stackName: 'Line',
  partition: 'aws',
  region: 'eu-central-1',
  account: '000000000000',
  urlSuffix: 'amazonaws.com',
};

describe('a resolved template', () => {
  const cases: [name: string, value: unknown, expected: unknown][] = [
    ['a reference', { Ref: 'Fold' }, 'fold-1'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['an ARN', { 'Fn::GetAtt': ['Fold', 'Arn'] }, 'arn:aws:lambda:eu-central-1:000000000000:function:fold-1'],
    [
      'a log group’s ARN',
      { 'Fn::GetAtt': ['Logs', 'Arn'] },
      'arn:aws:logs:eu-central-1:000000000000:log-group:/logs:*',
    ],
    ['an import', { 'Fn::ImportValue': 'State:Key' }, 'arn:key'],
    ['a join', { 'Fn::Join': [':', ['a', { Ref: 'Fold' }]] }, 'a:fold-1'],
    ['a substitution', { 'Fn::Sub': `$\{AWS::AccountId}-$\{Fold}-$\{!kept}` }, `000000000000-fold-1-$\{kept}`],
    ['a selection', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b'] }] }, 'b'],
    ['what is nested', { a: [{ Ref: 'Plan' }], b: 1 }, { a: ['arn:aws:states:::plan'], b: 1 }],
  ];
  it.each(cases)('has %s', (_, value, expected) => {
    expect(resolveTemplate(value, VALUES)).toEqual(expected);
  });

  const unknown: [name: string, value: unknown][] = [
    ['a reference to nothing', { Ref: 'Nothing' }],
    ['an export that is missing', { 'Fn::ImportValue': 'State:Other' }],
    ['another attribute', { 'Fn::GetAtt': ['Plan', 'StateMachineRevisionId'] }],
    ['another function', { 'Fn::FindInMap': ['a', 'b', 'c'] }],
  ];
  it.each(unknown)('refuses %s', (_, value) => {
    expect(() => resolveTemplate(value, VALUES)).toThrow('Line');
  });
});

describe('property differences', () => {
  it('finds what is otherwise, what is missing and lists of another length', () => {
    const expected = { a: 1, b: { c: 'x', d: [1, 2] }, e: true };
    expect(propertyDifferences(expected, { a: 2, b: { d: [1] } })).toEqual([
      { path: 'a', expected: 1, seen: 2 },
      { path: 'b.c', expected: 'x', seen: undefined },
      { path: 'b.d', expected: [1, 2], seen: [1] },
      { path: 'e', expected: true, seen: undefined },
    ]);
  });

  it('lets a service say more and spell a number as text', () => {
    expect(propertyDifferences({ a: '300', b: [{ c: true }] }, { a: 300, b: [{ c: 'true', d: 1 }], e: 1 })).toEqual([]);
  });

  it('takes nothing for something', () => {
    expect(propertyDifferences({ a: { b: 1 } }, { a: null })).toHaveLength(1);
    expect(propertyDifferences([1], undefined)).toHaveLength(1);
  });

  it('counts single values', () => {
    expect(leafCount({ a: 1, b: [{ c: 'x' }, null], d: {} })).toBe(3);
  });
});

it('tells what a store has lost, not what it has won', () => {
  const before = { bucket: new Set(['a', 'b']), stream: new Set(['1']) };
  expect(lostEntries(before, { bucket: new Set(['b', 'c']), stream: new Set(['1', '2']) })).toEqual(['bucket: 1 of 2']);
  expect(lostEntries(before, {})).toEqual(['bucket: 2 of 2', 'stream: 1 of 1']);
});
