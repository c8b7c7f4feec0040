# A zygote is replaced after a thousand clones, by one that is warm already, and
# no job notices.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper root /usr/bin/python3));

my $nginx = Codr::Nginx->new(languages => 0, http => <<'END');
codr_language python {
    version /usr/bin/python3 --version;
    source main.py;
    run /usr/bin/python3 $source;
    warm 2;
    zygote python;
    preload json random;
}
END
ok($nginx->ready, 'the server is ready');

sub job {
    return $nginx->post('/run', { language => 'python',
        code => 'print(hash("codr"))' })->{json};
}

ok(wait_until(60, sub { (job()->{path} // '') eq 'zygote' }),
    'jobs are clones') or BAIL_OUT($nginx->log);
my @first;
ok(wait_until(60, sub { (@first = $nginx->zygotes) == 1 }),
    'there is one zygote');

my (%path, %status, %hash);
for (1 .. 1100) {
    my $job = job();
    $path{ $job->{path} // 'none' }++;
    $status{ $job->{status} // 'none' }++;
    $hash{ $job->{stdout} // '' }++;
}
is_deeply(\%status, { ok => 1100 }, 'all of many jobs end well')
    or diag(explain(\%status));
is_deeply([ keys %path ], ['zygote'], 'as clones') or diag(explain(\%path));

my @second;
ok(wait_until(60, sub {
        (@second = $nginx->zygotes) == 1 && $second[0] != $first[0] }),
    'of which the last are another zygote\'s');
cmp_ok(scalar keys %hash, '>', 1, 'that has a hash seed of its own');
unlike($nginx->log, qr/zygote has ended|no use/, 'nothing was lost');

$nginx->finish;
done_testing();
