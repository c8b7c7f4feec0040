/*
 * Linked into the helper of a sanitizer build.  Its roles start with an
 * environment made from nothing, so options cannot come from there; and leaks
 * cannot be looked for at their end, because nobody may trace them.
 */

const char *__asan_default_options(void);


const char *
__asan_default_options(void)
{
    return "detect_leaks=0";
}
