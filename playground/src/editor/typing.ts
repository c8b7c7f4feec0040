// Typing over a selection as an edit of the document.  Left to the browser, it
// may keep the look of the removed text in a style attribute, which the page's
// content security policy refuses, loudly.

import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';

function typeOver(view: EditorView, event: InputEvent): boolean {
    const { main, ranges } = view.state.selection;
    const text = event.data;
    if (event.inputType !== 'insertText' || event.isComposing || !text
        || main.empty || ranges.length > 1 || view.state.readOnly) {
        return false;
    }
    event.preventDefault();
    const insert = () => view.state.update({
        ...view.state.replaceSelection(text), userEvent: 'input.type',
        scrollIntoView: true });
    const handled = view.state.facet(EditorView.inputHandler).some(
        (handler) => handler(view, main.from, main.to, text, insert));
    if (!handled) {
        view.dispatch(insert());
    }
    return true;
}

export const typing: Extension = EditorView.domEventHandlers({
    beforeinput: (event, view) => typeOver(view, event),
});
