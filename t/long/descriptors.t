# There are few descriptors, and more jobs at once than there are some for.

use strict;
use warnings;

use Codr::Host qw(need slurp);
use Codr::Nginx;
use Codr::Phases qw(next_job_runs);
use Test::More;

need(qw(module helper /usr/bin/prlimit));

my ($soft) = slurp('/proc/self/limits') =~ /^Max open files\s+(\d+)/m;
for my $few (48, 64, 96) {
    system('prlimit', '--pid', $$, "--nofile=$few:") == 0 or die;
    my $nginx = Codr::Nginx->new(languages => 0, connections => 500,
        main => 'worker_rlimit_nofile 600;', http => <<'END');
codr_max_jobs 64 batch=64;
codr_queue 100;
codr_language sh { source main.sh; run /bin/sh $source; }
END
    system('prlimit', '--pid', $$, "--nofile=$soft:") == 0 or die;
    if (!$nginx->ready) {
        like($nginx->get('/status')->{body}, qr/"causes":\["/,
            "$few descriptors: too few, and health says so");
        $nginx->finish(expected => qr/codr: /);
        next;
    }
    my @ws = map { $nginx->ws } 1 .. 40;
    $_->execute(language => 'sh', code => 'echo on; sleep 0.2') for @ws;
    my %status;
    $status{ $_->finish(60)->{status} }++ for @ws;
    my $said = join ', ', map {"$_ $status{$_}"} sort keys %status;
    diag("$few descriptors: $said");
    unlike($said, qr/\(/, "$few descriptors: each client hears of an end");
    ok($status{ok}, 'some jobs run');
    ok(next_job_runs($nginx), 'and afterwards, too');
    $nginx->finish(expected => qr/codr: /);
}

done_testing();
