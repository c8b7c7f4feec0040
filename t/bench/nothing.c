/*
 * The program of spawn_bench, linked statically: what it takes is what the
 * kernel and the C library need for any.
 */

int
main(void)
{
    return 0;
}
