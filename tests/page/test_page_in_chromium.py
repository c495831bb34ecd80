"""GET / as a user sees it: a headless Chromium opens it, types, clicks and looks."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))

from chromium import Chromium  # noqa: E402
from running_server import RunningServer  # noqa: E402


class PageInChromiumTest(unittest.TestCase):
    def open(self, *arguments, **options):
        server = RunningServer(*arguments, **options).__enter__()
        self.addCleanup(server.stop)
        browser = Chromium()
        self.addCleanup(browser.close)
        browser.open(server.ready["url"] + "/")
        return server, browser

    def ready(self, *arguments, **options):
        server, browser = self.open(*arguments, **options)
        browser.wait_for("document.getElementById('state').className == 'soft ready'")
        return server, browser

    def facts(self, browser, name):
        return browser.run("Object.fromEntries([...document.querySelectorAll('#%s div')].map("
                           "(box) => [box.children[0].textContent, box.children[1].textContent]))"
                           % name)

    def test_it_shows_the_model_and_asks_nobody_else(self):
        server, browser = self.ready()
        info, facts = server.get("/info").json, self.facts(browser, "model")
        self.assertEqual(facts["model"], "bert-mean-norm")
        self.assertEqual(facts["dimensions"], str(info["dim"]))
        self.assertEqual(facts["device"], "cpu, " + info["cpu_level"])
        self.assertIn(info["version"], browser.text("#state"))
        self.assertEqual({url for url in browser.requests if not url.startswith(
            (server.ready["url"] + "/", "data:", "about:"))}, set())
        self.assertEqual(browser.complaints, [])

    def test_two_texts_are_compared(self):
        server, browser = self.ready()
        browser.wait_for("document.getElementById('cosine').textContent != ''")
        browser.run("[...document.querySelectorAll('#compare textarea')].forEach("
                    "(area, i) => { area.value = ['<b>same</b>', '<b>same</b>'][i]; })")
        browser.run("document.querySelector('#compare button').click()")
        browser.wait_for("document.getElementById('cosine').textContent == 'cosine 1.0000'")
        browser.run("document.querySelectorAll('#compare textarea')[1].value = 'quite another text'")
        browser.run("document.querySelector('#compare button').click()")
        browser.wait_for("document.getElementById('cosine').textContent != 'cosine 1.0000'")
        a, b = server.embed(["<b>same</b>", "quite another text"])
        self.assertAlmostEqual(float(browser.text("#cosine").split()[1]),
                               sum(x * y for x, y in zip(a, b)), delta=1e-4)

    def test_lines_are_searched_nearest_first(self):
        server, browser = self.ready()
        lines = ["the third", "needle", "<img src=x onerror=alert(1)>", "  ", "another line"]
        browser.run("document.querySelector('#search input').value = 'needle'")
        browser.run("document.querySelector('#search textarea').value = %r" % "\n".join(lines))
        browser.run("document.querySelector('#search button').click()")
        browser.wait_for("document.querySelectorAll('#found li').length == 4 && "
                         "document.querySelector('#found span').textContent == 'needle'")
        shown = browser.run("[...document.querySelectorAll('#found li')].map("
                            "(item) => [+item.children[0].textContent, item.children[1].textContent])")
        self.assertEqual(shown[0], [1, "needle"])
        self.assertEqual(shown, sorted(shown, key=lambda row: -row[0]))
        self.assertEqual({line for _, line in shown}, {line for line in lines if line.strip()})
        self.assertIn("4 lines in", browser.text("#searched"))
        browser.run("document.querySelector('#search textarea').value = ' '")
        browser.run("document.querySelector('#search button').click()")
        browser.wait_for("document.getElementById('searched').textContent == 'there are no lines'")
        self.assertEqual(browser.complaints, [])

    def test_load_and_refused_requests_are_live(self):
        server, browser = self.ready()
        self.assertEqual(browser.text("#errors"), "none since the start")
        before = server.get("/info").json["done"]["texts"]
        server.embed(["one text"] * 50)
        refused = server.post({"texts": [1]}, headers={"X-Request-Id": "the-bad-one"})
        self.assertEqual(refused.status, 400)
        browser.wait_for("document.getElementById('errors').textContent.includes('the-bad-one')")
        self.assertIn("400 invalid_type, /embed, request the-bad-one", browser.text("#errors"))
        facts = self.facts(browser, "load")
        self.assertGreaterEqual(int(facts["texts done"].replace(",", "")), before + 50)
        self.assertEqual(facts["requests waiting"], "0")
        browser.wait_for("document.querySelector('#rate path').getAttribute('d').includes(' 2.0')")
        self.assertNotEqual(browser.text("#top"), "0")

    def test_snippets_have_the_right_address_and_name(self):
        server, browser = self.ready()
        titles = browser.run("[...document.querySelectorAll('#tabs button')].map((b) => b.textContent)")
        for name in ("curl", "ollama", "openai", "LangChain", "LanceDB"):
            self.assertTrue(any(name in title for title in titles), titles)
        for i, title in enumerate(titles):
            browser.run("document.querySelectorAll('#tabs button')[%d].click()" % i)
            snippet = browser.text("#snippet")
            self.assertIn(server.ready["url"], snippet)
            if title != "curl":
                self.assertIn('"bert-mean-norm"', snippet)
            if "Python" in title:
                compile(snippet, title, "exec")
            self.assertNotIn("undefined", snippet)
            self.assertEqual(browser.run(
                "[...document.querySelectorAll('#tabs [aria-selected=true]')].map((b) => b.textContent)"),
                [title])

    def test_a_key_is_asked_for_and_used(self):
        _, browser = self.open(env={"EMBEDD_API_KEY": "secret"})
        browser.wait_for("!document.getElementById('key').hidden")
        self.assertIn("Authorization", browser.text("#state"))
        browser.run("document.querySelector('#key input').value = 'secret'")
        browser.run("document.querySelector('#key button').click()")
        browser.wait_for("document.getElementById('state').className == 'soft ready'")
        browser.wait_for("document.getElementById('cosine').textContent.startsWith('cosine')")
        self.assertTrue(browser.run("document.getElementById('key').hidden"))
        self.assertIn("YOUR_KEY", browser.text("#snippet"))

    def test_it_says_when_the_server_has_gone(self):
        server, browser = self.ready()
        server.stop()
        browser.wait_for("document.getElementById('state').textContent == 'the server does not answer'")

    def test_light_and_dark(self):
        _, browser = self.ready()
        shades = {}
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            shades[scheme] = [sum(map(int, color[4:-1].split(", "))) for color in browser.run(
                "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")]
        self.assertGreater(shades["light"][0], 600)
        self.assertLess(shades["light"][1], 150)
        self.assertLess(shades["dark"][0], 150)
        self.assertGreater(shades["dark"][1], 600)

    def test_it_fits_a_narrow_window(self):
        _, browser = self.ready()
        browser.call("Emulation.setDeviceMetricsOverride", width=360, height=700,
                     deviceScaleFactor=1, mobile=True)
        browser.wait_for("document.documentElement.scrollWidth <= 360")


if __name__ == "__main__":
    unittest.main()
