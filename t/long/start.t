# The Nth system call of a supervisor fails, from its first one on; and with it
# the Nth of a broker, of a spawner, and of what they start: each is traced from
# the moment it is made.  However often they fail to start, they are there when
# nothing fails any more, without anybody's doing.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Inject qw(failing fails in_turn is_whole replaced shuffled traced);
use Codr::Nginx;
use Codr::Phases qw(next_job_runs);
use Test::More;

need(qw(plain root module helper /usr/bin/strace));

my $SECONDS = 120;      # then the rest is left out, and said
my $MOST    = 5;        # of the same call

my $nginx = Codr::Nginx->new(languages => 0, log => 'notice', http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready && next_job_runs($nginx), 'the server is ready');

# A keeper without its supervisor, and all that it starts.
sub started {
    my ($work, @options) = @_;
    return traced($nginx, 'keeper', $work, '-f', @options);
}

# What a supervisor calls until jobs run.
my ($supervisor, %count);
my $trace = started(sub {
    $supervisor = replaced($nginx, 'supervisor');
    is_whole($nginx, 20);
});
ok($supervisor, 'the keeper starts another supervisor');
$count{$_}++ for $trace =~ /^$supervisor +(\w+)\(/mg;
cmp_ok(scalar keys %count, '>', 20, 'of which all calls are seen');
ok($count{execveat}, 'from the first on');
ok(is_whole($nginx, 30), 'jobs run');

in_turn($nginx, $SECONDS, sub {
    my ($call, $n) = @_;
    started(sub { replaced($nginx, 'supervisor') }, failing($call, $n));
    return "$call $n";
}, shuffled('CODR_START_SEED', map {
    my $call = $_;
    map { [ $call, $_ ] } 1 .. ($count{$call} > $MOST ? $MOST : $count{$call});
} grep { fails($_) } sort keys %count));
$nginx->finish(expected => qr/codr: /);

done_testing();
