# The calendar's clock is set while nginx runs: no limit, no rate and no record
# goes by it, tickets are good for once all the same.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need spew wait_until);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;

need(qw(plain module helper /usr/bin/gcc));

my $HOUR = 3600;

my $dir = Codr::Nginx::dir();
my $shim = "$dir/clock.so";
is(system('/usr/bin/gcc', qw(-shared -fPIC -O1 -o), $shim,
    't/module/clock.c'), 0, 'a clock of our own');

spew("$dir/keys", 'alice ' . sha256_hex('alice') . "\n");
chmod 0640, "$dir/keys";
spew("$dir/clock", pack 'q', 0);
chmod 0644, "$dir/clock";

my $nginx = do {
    local $ENV{LD_PRELOAD} = $shim;
    local $ENV{CODR_CLOCK} = "$dir/clock";
    Codr::Nginx->new(dir => $dir, languages => 0, auth => 0,
        http => <<"CONF", server => <<'CONF');
    codr_api_keys $dir/keys;
    codr_job_ttl 30m;
    codr_language sh { source main.sh; run /bin/sh \$source; }
CONF
    location /jobs { codr_jobs; }
    location = /only { codr_exec; codr_auth ticket; }
    location = /open { codr_exec; codr_auth off; }
    location = /short {
        codr_exec; codr_auth off; codr_timeout 30s; codr_idle_timeout 60s;
        codr_ping 30s;
    }
    location = /rate {
        codr_exec; codr_auth off; codr_limit_jobs all rate=1/m burst=1;
    }
CONF
};
ok($nginx->ready, 'the helper is up');

# Sets nginx's clock; it is looked at with every event.
sub set_clock {
    my ($seconds) = @_;
    open my $file, '+<', "$dir/clock" or die "clock: $!";
    syswrite $file, pack 'q', $seconds;
    close $file;
    my $now = time + $seconds;
    ok(wait_until(10, sub {
        my $said = $nginx->get('/status')->{headers}{date} // '';
        return (abs seconds($said) - $now) < 600;
    }), "the clock is set by $seconds s");
}

my %month = do { my $n = 0; map { $_ => $n++ }
    qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec) };

# Of "Sat, 21 Nov 2026 18:00:00 GMT".
sub seconds {
    my ($text) = @_;
    my ($day, $name, $year, @time) = $text
        =~ /(\d+) (\w+) (\d+) (\d+):(\d+):(\d+)/ or return 0;
    require Time::Local;
    return Time::Local::timegm(reverse(@time), $day, $month{$name}, $year);
}

sub record {
    my ($id) = @_;
    return $nginx->get("/jobs/$id", headers => ['X-API-Key: alice']);
}

sub create {
    my $json = $nginx->post('/jobs/create', '',
        headers => ['X-API-Key: alice'])->{json};
    return { map { $_ => $json->{$_} } qw(job_id job_token) };
}

sub redeem {
    my ($ticket) = @_;
    my $json = $nginx->post('/only', { language => 'sh', code => 'echo 42',
        %{$ticket} })->{json};
    return $json->{code} // $json->{status};
}

subtest 'a job and its record' => sub {
    for my $jump ($HOUR, -$HOUR) {
        my $ws = $nginx->ws(path => '/short');
        $ws->execute(language => 'sh', tty => JSON::PP::false,
            code => 'echo on; read x; echo $x');
        ok($ws->expect(qr/on/), 'it runs');
        set_clock($jump);
        $ws->input("back\n");
        my $job = $ws->finish;
        is("$job->{status} $job->{stdout}", "ok on\nback\n", 'it goes on');
        cmp_ok($job->{complete}{wall_time}, '<', $HOUR / 2,
            'for as long as it took');
        cmp_ok($job->{complete}{wall_time}, '>', 0, 'and not less');
        is($ws->run_job(language => 'sh', code => 'exit 0')->{status}, 'ok',
            'its socket does, too');

        my $ticket = create();
        $ws = $nginx->ws;
        $ws->execute(%{$ticket}, language => 'sh', code => 'read x');
        is($ws->wait_for('started')->{job_id}, $ticket->{job_id}, 'another');
        set_clock(0);
        $ws->input("\n");
        is($ws->finish->{status}, 'ok', 'over a step back');
        my $json = record($ticket->{job_id})->{json};
        ok($json->{created_at} le $json->{started_at}
            && $json->{started_at} le $json->{completed_at},
            'its times are in order')
            or diag(explain($json));
        set_clock($jump);
        is(record($ticket->{job_id})->{json}{status}, 'completed',
            'its record stays for its time');
        $nginx->post('/run', { language => 'sh', code => 'exit 0' },
            headers => ['X-API-Key: alice']) for 1 .. 3;
        is(record($ticket->{job_id})->{json}{status}, 'completed',
            'whatever comes after it');
        set_clock(0);
    }
};

subtest 'a limit' => sub {
    my $ws = $nginx->ws(path => '/open');
    $ws->execute(language => 'sh', code => 'echo on; sleep 60', stdin => '',
        limits => { wall_time => 0.3 });
    ok($ws->expect(qr/on/), 'a job with a limit');
    set_clock(-$HOUR);
    is($ws->finish->{status}, 'wall_limit', 'gets no hour more');
    set_clock(0);
};

subtest 'a rate' => sub {
    my $ask = sub {
        my $json = $nginx->post('/rate', { language => 'sh',
            code => 'exit 0' })->{json};
        return $json->{code} // $json->{status};
    };
    my @first = map { $ask->() } 1 .. 4;
    is($first[-1], 'rate_limited', 'is kept to');
    set_clock($HOUR);
    is($ask->(), 'rate_limited', 'an hour later by that clock');
    set_clock(-$HOUR);
    is($ask->(), 'rate_limited', 'and an hour before');
    set_clock(0);
};

subtest 'tickets' => sub {
    my $old = create();
    my $used = create();
    is(redeem($used), 'ok', 'one is used');
    set_clock(3 * $HOUR);
    is(redeem($old), 'unauthorized', 'another one expires');
    is(redeem(create()), 'ok', 'and a new one is used');
    set_clock(0);
    is(redeem($used), 'unauthorized', 'the first is used for ever');
    set_clock(-$HOUR);
    is(redeem(create()), 'ok', 'new ones are good before the start, too');
    is(redeem($used), 'unauthorized', 'the first is not');
    set_clock(0);
};

$nginx->finish;
done_testing();
