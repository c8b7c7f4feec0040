# The page when the way to the server breaks: it reconnects and joins the run
# again, and says what a refusal means and what to do.

use strict;
use warnings;

use Codr::Browser;
use Codr::Client;
use Codr::Host qw(build spew top);
use Test::More;

Codr::Browser->ready;

my ($key, $line) = `'@{[ build() ]}/codr-sandboxd' --new-key page`
    =~ /(\S+)\n.*(page [0-9a-f]{64})/s;
my $keys = Codr::Nginx::dir() . '/keys';
spew($keys, "$line\n");
chmod 0600, $keys;

my $errors = top() . '/conf/snippets/codr-errors.conf';
my @pages = qw(limited gone foreign keyed);
my $nginx = Codr::Browser->serve(pages => \@pages, http => <<'HTTP',
limit_req_zone $server_port zone=page:1m rate=1r/m;
HTTP
    server => <<"SERVER");
include $errors;
location = /limited { limit_req zone=page; codr_exec; }
location = /gone { return 503; }
location = /foreign { codr_exec; codr_origin https://example.org; }
location = /keyed { codr_exec; codr_api_keys $keys; codr_auth key; }
SERVER
$nginx->get('/limited');

# Whether a job outlives its socket and can be joined again.
my $first = $nginx->ws;
$first->execute(language => 'python', detach => JSON::PP::true,
    code => 'import time; print("on", flush=True); time.sleep(20)');
$first->expect(qr/on/, 30);
my ($started) = grep { $_->{type} eq 'started' } @{ $first->{seen} };
$first->drop;
my $second = $nginx->ws;
$second->send(type => 'attach', offset => 0,
    map { $_ => $started->{$_} } qw(job_id attach_token));
my $answer = $second->wait_for(qr/^(?:started|error)$/, 30);
my $resumes = $answer->{type} eq 'started' ? 1 : 0;
$second->send(type => 'stop');
$second->drop;
note("attach works: $resumes");

Codr::Browser->run('network.mjs', $nginx, CODR_RESUMES => $resumes,
    CODR_KEY => $key);
$nginx->finish;
done_testing();
