# What is said about tests is so: every test that the threat model names is
# there, and every row of the catalogue names tests that are; t/table makes of
# results what they are.

use strict;
use warnings;

use Codr::Host qw(slurp spew top);
use Codr::Nginx;
use Test::More;

my $top = top();

sub is_there {
    my ($test) = @_;
    return -f "$top/t/$test.t" || -f "$top/t/$test.c";
}

# Other parts of `make test-all` have names of their own.
sub is_run {
    my ($file) = @_;
    return scalar(my @c = glob "$top/t/fuzz/*/fuzz_$1.c")
        if $file =~ m{^fuzz/(\w+)};
    return -f "$top/t/long/$1" if $file =~ m{^asan/(.+)};
    return -f "$top/$file" || -f "$top/$file.c" || $file =~ m{^analyze/};
}

my $model = slurp("$top/docs/threat-model.md");
my ($promised) = $model =~ /^\| promise \|.*?\n\|---.*?\n(.*?)\n\n/ms;
my @named = $promised =~ m{`([a-z]+/\w+)`}g;
cmp_ok(scalar @named, '>', 20, 'the threat model names tests');
is(join(' ', grep { !is_there($_) } @named), '', 'all of them are there');
is(join("\n", grep { !m{\| [^|]*`[a-z]+/\w+`[^|]*\|$} } split /\n/,
        $promised), '', 'for every promise');

# Rows: ID FILE[:PATTERN] ... -- WORDS.
SKIP: {
    skip 'no catalogue', 2 if !-f "$top/t/catalogue";
    my (%ids, @wrong);
    for my $row (grep { !/^\s*(?:#|$)/ } split /\n/,
        slurp("$top/t/catalogue")) {
        my ($id, $where) = $row =~ /^(\S+)\s+(.+?)\s+--\s+\S/
            or push @wrong, $row;
        next if !defined $id;
        push @wrong, "$id is there twice" if $ids{$id}++;
        for my $word ($where eq '-' ? () : split ' ', $where) {
            my ($file) = $word =~ /^([^:]+)/;
            push @wrong, "$id: no $file" if !is_run($file);
        }
    }
    cmp_ok(scalar keys %ids, '>', 0, 'the catalogue has rows');
    is(join("\n", @wrong), '', 'of tests that are there');
}

# The table.
my $dir = Codr::Nginx::dir();
spew("$dir/catalogue", <<'ROWS');
# comment
A1  t/a.t            -- passes
A2  t/a.t:^one$      -- passes, too
A3  t/a.t:two t/b.t  -- fails
A4  t/c.t            -- is skipped
A5  -                -- cannot be here
A6  t/a.t:seven      -- has no test
ROWS
spew("$dir/results", join '', map {"$_\n"} "passed\tt/a.t\tone\t",
    "passed\tt/a.t\ttwo\t", "failed\tt/b.t\tthree\t",
    "skipped\tt/c.t\t\tneeds a moon");
my $table = qx('$^X' '$top/t/table' '$dir/catalogue' '$dir/results');
isnt($?, 0, 'a row that failed is a failure');
my %rows = $table =~ /^(A\d)\s+(\w+\s+\d+  .*)$/mg;
is_deeply(\%rows, {
    A1 => 'passed     2  passes', A2 => 'passed     1  passes, too',
    A3 => 'failed     2  fails (three)',
    A4 => 'skipped    1  is skipped (needs a moon)',
    A5 => 'skipped    0  cannot be here',
    A6 => 'failed     0  has no test (no test t/a.t:seven)',
}, 'each row is what its tests said');
like($table, qr/^6 rows: 2 passed, 2 failed, 2 skipped$/m, 'and the sum');

done_testing();
