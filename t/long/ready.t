# An init that was killed while its sandbox waited for a job, before anybody has
# noticed: whoever gets that sandbox runs in another one.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Phases qw(role stop_process);
use Test::More;

need(qw(module helper root));

my $nginx = Codr::Nginx->new(languages => 0, http => <<'END',
codr_language sh { source main.sh; run /bin/sh $source; warm 1; }
END
    server => 'location = /one { codr_exec; codr_limit_jobs all jobs=1; }');
ok($nginx->ready, 'the server is ready');

my %MESSAGE = (language => 'sh', code => 'echo here');

# Posts, and returns when the job is on its way to the broker: its worker, of
# which there is one, has served somebody else since.
sub request {
    my $client = Codr::Client->connect(port => $nginx->port, timeout => 60);
    $client->send_request(method => 'POST', path => '/one',
        headers => ['Content-Type: application/json'],
        body => Codr::Client::encode(\%MESSAGE));
    $nginx->get('/languages');
    return $client;
}

# One that jobs get, such as they are.
sub waiting {
    my $init;
    wait_until(60, sub {
        return ($nginx->post('/run', \%MESSAGE)->{json}{path} // '') eq 'pool'
            && wait_until(5, sub { ($init) = $nginx->ready_sandboxes });
    });
    return $init;
}

sub is_zombie { return slurp("/proc/$_[0]/stat") =~ /\) Z / }

# Somebody of the helper stops before that, and goes on after it.
sub taken {
    my ($role, $what) = @_;
    my $init = waiting();
    ok($init, "$what: a sandbox waits");
    my $held = role($nginx, $role);
    stop_process($held);
    my $client = $role eq 'broker' && request();
    kill KILL => $init;
    wait_until(10, sub { !-d "/proc/$init" || is_zombie($init) });
    $client ||= request();
    kill CONT => $held;
    my $job = $client->answer(60)->{json};
    is($job->{status} // $job->{code}, 'ok', "$what: its job runs")
        or diag(explain($job));
    is($job->{stdout}, "here\n", "$what: once");
    is($job->{path}, 'cold', "$what: in another one");
    is($nginx->post('/one', \%MESSAGE)->{status}, 200,
        "$what: it was one job for its client, and is none any more");
    return;
}

taken('broker', 'killed while the job was on its way');
taken('spawner', 'killed, which nobody has said yet');

$nginx->finish(expected => qr/codr: /);
done_testing();
