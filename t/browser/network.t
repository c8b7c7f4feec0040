# The page when the way to the server breaks: it reconnects and joins the run
# again, waits for its turn, and says what a refusal means and what to do;
# keys, and tickets from a back end.

use strict;
use warnings;

use Codr::Browser;
use Codr::Host qw(top);
use Test::More;

Codr::Browser->ready;

my ($key, $keys, $tickets) = Codr::Browser->tickets;
my $errors = top() . '/conf/snippets/codr-errors.conf';
my %pages = map { $_ => { run => $_ } } qw(limited gone foreign keyed);
$pages{ticketed} = { run => 'ticketed', ticket => 'ticket' };
$pages{stranger} = { run => 'ticketed', ticket => 'login' };
my $nginx = Codr::Browser->serve(pages => \%pages, http => <<'HTTP',
limit_req_zone $server_port zone=page:1m rate=1r/m;
HTTP
    server => <<"SERVER");
include $errors;
location = /limited { limit_req zone=page; codr_exec; }
location = /gone { return 503; }
location = /foreign { codr_exec; codr_origin https://example.org; }
location = /keyed { codr_exec; codr_api_keys $keys; codr_auth key; }
location = /login { return 401; }
$tickets
SERVER
$nginx->get('/limited');

my $busy = Codr::Browser->serve(http => 'codr_max_jobs 1 batch=1;');
Codr::Browser->run('network.mjs', $nginx, CODR_KEY => $key,
    CODR_BUSY => "http://127.0.0.1:$busy->{port}/");
$busy->finish;
$nginx->finish;
done_testing();
