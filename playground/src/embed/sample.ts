// The text of a page as a program: without the blank lines around it and
// without the indentation it has in the page.  Pure.

export function sampleOf(text: string): string {
    const lines = text.replace(/\r\n/g, '\n').replace(/^(?:[ \t]*\n)+/, '')
        .trimEnd().split('\n');
    const indents = lines.filter((line) => line.trim())
        .map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
    const indent = indents.length ? Math.min(...indents) : 0;
    return lines.map((line) => line.slice(indent)).join('\n');
}
