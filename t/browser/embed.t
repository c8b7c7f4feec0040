# <codr-run> in a page of documentation: twenty samples, one socket on first
# use, input, attributes, and a strict policy.

use strict;
use warnings;

use Codr::Browser;
use Codr::Host qw(spew);
use Test::More;

Codr::Browser->ready;
my (undef, undef, $tickets) = Codr::Browser->tickets;
my $nginx = Codr::Browser->serve(server => $tickets);

my $more = join '', map { <<"END" } 1 .. 15;
<codr-run language="python" id="s$_" label="Sample $_">
print("sample $_")
</codr-run>
END
spew("$nginx->{dir}/site/samples.html", <<"END");
<!doctype html>
<html lang="en"><title>A manual</title>
<link rel="icon" href="favicon.svg">
<script src="codr-run.js" defer></script>
<h1>A manual</h1>
<p>Text around the samples.</p>
<codr-run language="python" id="asks" label="It asks">
print("hello", input("name? "))
</codr-run>
<codr-run language="python" id="loops" label="It loops">
while True: pass
</codr-run>
<codr-run language="python" id="given" args="a 'b c'" stdin="stdin"
    label="It is given something" readonly>
import sys; print(sys.argv[1:], input())
</codr-run>
<codr-run language="c" id="bad" label="It does not compile">
int main(void) { return nothing; }
</codr-run>
<codr-run language="python" id="indented" label="Indented"><pre>
        if True:
            print("&lt;indented&gt;")
</pre></codr-run>
$more
END
spew("$nginx->{dir}/site/tickets.html", <<"END");
<!doctype html>
<html lang="en"><title>A course</title>
<link rel="icon" href="favicon.svg">
<script src="codr-run.js" defer></script>
<codr-run language="python" id="paid" server="ticketed" ticket="ticket"
    label="With a ticket">
print("let in")
</codr-run>
<codr-run language="python" id="free" server="ticketed" label="Without">
print("let in")
</codr-run>
END

Codr::Browser->run('embed.mjs', $nginx);
$nginx->finish;
done_testing();
