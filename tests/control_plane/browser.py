"""Airflow's pages as a person uses them: a headless browser, with a picture of each step in the tests' home."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, sync_playwright

from tests.control_plane.dag_runs import DagRun
from tests.integration.conftest import eventually
from weahouse.embedded.secrets import secret_file
from weahouse.orchestration.dag_runs import HEARD_OF_WITHIN_S
from weahouse.orchestration.rest import PASSWORDS_FILE, USER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from weahouse.orchestration.backfill_kinds import Kind
    from weahouse.settings import Settings

# The pages ask an api-server that shares two cores with applications of Spark.
_PATIENCE_MS = 300_000


@contextmanager
def opened(settings: Settings) -> Iterator[Browser]:
    """A browser whose person has logged in; its time zone is UTC."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium: `make test-browser` installs the packages of tests/packages.txt"
    with sync_playwright() as playwright:
        # Its sandbox refuses to work for root, and what it opens is ours.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(timezone_id="UTC", viewport={"width": 1280, "height": 1100})
        page.set_default_timeout(_PATIENCE_MS)
        found = Browser(page, settings)
        found.log_in()
        yield found
        browser.close()


@dataclass
class Browser:
    """One page of Airflow, and what a person does on it."""

    page: Page
    settings: Settings

    def log_in(self) -> None:
        """Through the login form, as whom the command asks too."""
        password = json.loads(secret_file(self.settings, PASSWORDS_FILE).read_text())[USER]
        self.page.goto(self.settings.airflow)
        self.page.fill("input[name=username]", USER)
        self.page.fill("input[name=password]", password)
        self.page.keyboard.press("Enter")
        self.page.get_by_text("Dags", exact=True).first.wait_for()

    def trigger(self, kind: Kind, times: Mapping[str, datetime], texts: Mapping[str, str], *, dry_run: bool) -> DagRun:
        """Fill in the form of a Dag, parameters by their names, and trigger it."""
        self.page.goto(f"{self.settings.airflow}/dags/{kind.dag_id}")
        self.page.get_by_role("button", name="Trigger Dag", exact=True).first.click()
        form = self.page.get_by_role("dialog").filter(has_text="Trigger Dag")
        for name, time in times.items():
            self._pick(form, kind.asks[name].title, time)
        if not dry_run:
            form.locator("[id='switch:element_dry_run:control']").click()
        # What stands in a section is folded, the others before it.
        for name in sorted(texts, key=lambda name: "section" in kind.asks[name].schema):
            field = form.locator(f"[name=element_{name}]")
            if not field.is_visible():
                form.get_by_role("button", name=kind.asks[name].schema["section"]).click()
            field.fill(texts[name])
        self.picture(f"{kind.dag_id}-form")
        before = DagRun.newest(self.settings, kind.dag_id)
        form.get_by_role("button", name="Trigger", exact=True).click()

        def is_new() -> DagRun | None:
            newest = DagRun.newest(self.settings, kind.dag_id)
            return None if newest == before else newest

        found = eventually(is_new, f"a run of {kind.dag_id}")
        assert isinstance(found, DagRun)
        return found

    def _pick(self, form: Locator, title: str, time: datetime) -> None:
        field = form.locator("[data-scope=field][data-part=root]").filter(has_text=title)
        field.get_by_test_id("datetime-input").click()
        input_ = self.page.locator("[data-scope=popover][data-part=content][data-state=open]")
        input_.get_by_placeholder("YYYY/MM/DD").fill(f"{time:%Y/%m/%d}")
        input_.get_by_placeholder("HH:mm").fill(f"{time:%H:%M}")
        form.get_by_role("heading").first.click()
        input_.wait_for(state="detached")
        field.get_by_text(f"{time:%b %d, %Y %H:%M}").wait_for()

    def question(self, run: DagRun, task: str) -> str:
        """What a task asks, as its page shows it; waits until it asks."""
        eventually(lambda: run.states()[task] == "awaiting_input", f"a question of {run.run_id}")
        self.page.goto(
            f"{self.settings.airflow}/dags/{run.dag_id}/runs/{quote(run.run_id, safe='')}/tasks/{task}/required_actions"
        )
        self.page.get_by_test_id("hitl-option-Approve").wait_for()
        self.picture(f"{run.dag_id}-question")
        return self.page.inner_text("body")

    def approve(self, run: DagRun, task: str) -> None:
        """Press the button below the question, and again where the task asks once more."""

        def is_done() -> bool:
            state = run.states()[task]
            if state == "awaiting_input":
                self.page.reload()
                self.page.wait_for_timeout(1000 * HEARD_OF_WITHIN_S)
                # Answered already, and not taken up yet, it has no button.
                with suppress(PlaywrightError):
                    self.page.get_by_test_id("hitl-option-Approve").click(timeout=10_000)
            return state == "success"

        eventually(is_done, f"the approval of {run.run_id}")

    def picture(self, name: str) -> None:
        """Keep what is to be seen now, for whoever wonders why a test fails, and how the pages look."""
        folder = self.settings.home / "pictures"
        folder.mkdir(exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)
