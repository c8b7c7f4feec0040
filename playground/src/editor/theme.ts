// The editor in the page's own colours: all of them are custom properties,
// so dark and light need no second theme.

import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags as t } from '@lezer/highlight';

const highlight = HighlightStyle.define([
    { tag: [t.keyword, t.modifier, t.controlKeyword, t.operatorKeyword,
        t.definitionKeyword, t.moduleKeyword], color: 'var(--hl-keyword)' },
    { tag: [t.string, t.special(t.string), t.character, t.regexp],
        color: 'var(--hl-string)' },
    { tag: [t.number, t.bool, t.null, t.atom, t.self],
        color: 'var(--hl-number)' },
    { tag: [t.comment, t.lineComment, t.blockComment],
        color: 'var(--hl-comment)', fontStyle: 'italic' },
    { tag: [t.function(t.variableName), t.function(t.propertyName),
        t.function(t.definition(t.variableName)), t.macroName,
        t.standard(t.variableName), t.definition(t.variableName)],
        color: 'var(--hl-function)' },
    { tag: [t.typeName, t.className, t.namespace, t.standard(t.typeName)],
        color: 'var(--hl-type)' },
    { tag: [t.meta, t.annotation, t.processingInstruction],
        color: 'var(--hl-meta)' },
    { tag: t.invalid, color: 'var(--bad)' },
]);

const look = EditorView.theme({
    '&': {
        height: '100%',
        color: 'var(--ink)',
        backgroundColor: 'var(--sheet)',
        fontSize: 'var(--code-size)',
    },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': {
        fontFamily: 'var(--mono)',
        lineHeight: '1.6',
        overflow: 'auto',
    },
    '.cm-content': { padding: '12px 0', caretColor: 'var(--accent)' },
    '.cm-line': { padding: '0 16px 0 var(--line-indent, 8px)' },
    '.cm-gutters': {
        backgroundColor: 'var(--sheet)',
        color: 'var(--faint)',
        border: 'none',
        paddingLeft: '6px',
    },
    '.cm-activeLine': { backgroundColor: 'var(--line-now)' },
    '.cm-activeLineGutter': {
        backgroundColor: 'var(--line-now)',
        color: 'var(--muted)',
    },
    '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
    '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
        backgroundColor: 'var(--select)',
    },
    '.cm-selectionMatch': { backgroundColor: 'var(--select)' },
    '&.cm-focused .cm-matchingBracket': {
        backgroundColor: 'var(--select)',
        outline: '1px solid var(--accent)',
    },
    '.cm-panels, .cm-tooltip': {
        backgroundColor: 'var(--paper)',
        color: 'var(--ink)',
        borderColor: 'var(--rule)',
        fontFamily: 'var(--sans)',
    },
    '.cm-tooltip': { borderRadius: '6px', boxShadow: 'var(--shadow)' },
    '.cm-textfield': {
        backgroundColor: 'var(--sheet)',
        color: 'var(--ink)',
        borderColor: 'var(--rule)',
    },
    '.cm-button': {
        backgroundImage: 'none',
        backgroundColor: 'var(--sheet)',
        color: 'var(--ink)',
        borderColor: 'var(--rule)',
    },
    '.cm-diagnostic': { padding: '6px 10px', maxWidth: '44ch' },
    '.cm-diagnostic-error': { borderLeft: '3px solid var(--bad)' },
    '.cm-diagnostic-warning': { borderLeft: '3px solid var(--warn)' },
    '.cm-lintRange-error, .cm-lintRange-warning': {
        backgroundImage: 'none',
        textDecoration: 'underline wavy var(--bad) 1.5px',
        textUnderlineOffset: '3px',
        textDecorationSkipInk: 'none',
        backgroundColor: 'var(--bad-soft)',
        borderRadius: '2px',
    },
    '.cm-lintRange-warning': {
        textDecorationColor: 'var(--warn)', backgroundColor: 'transparent',
    },
    '.cm-lint-marker': {
        width: '0.7em', height: '0.7em', marginTop: '0.3em',
    },
    '.cm-lint-marker-error': {
        content: '""', borderRadius: '50%', backgroundColor: 'var(--bad)',
    },
    '.cm-lint-marker-warning': {
        content: '""', borderRadius: '50%', backgroundColor: 'var(--warn)',
    },
});

export const theme: Extension = [look, syntaxHighlighting(highlight)];
