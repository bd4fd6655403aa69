"""Second reviews: whose turn it is, the blind page, and what a third person sees where two disagree."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Verb
from extraction.restricting import check_page
from review import outbox, queries, second_queries, second_review
from review.actions import Value
from review.blindness import shown_blind
from review.forms import AddForm, ChoiceForm, verdict_form
from review.models import Answer, Reason, SecondReview
from review.policy import allows
from review.second_policy import check_can_answer, check_can_finish, check_can_settle
from review.views import current_item, uuid_or_none


@require_safe
@requires(Right.REVIEW)
@journals(Verb.LIST_VIEWED)
def second_list(request: HttpRequest) -> HttpResponse:
    """The pages that this person may review a second time, and the disagreements they may settle."""
    user = person(request)
    reviews = second_queries.to_review(user)
    disagreements = second_queries.to_settle(user)
    shown = list(disagreements[: second_queries.MOST_SHOWN])
    record_alone(Verb.LIST_VIEWED, by=user, object_type="second_review", count=len(reviews) + len(shown))
    context = {"reviews": reviews, "disagreements": shown}
    return render(request, "review/second_list.html", context)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.SECOND_BEGUN)
def begin(request: HttpRequest, review_id: UUID) -> HttpResponse:
    user = person(request)
    review = get_or_404(second_queries.reviews(user), review_id, by=user)
    second_review.begin(review=review, by=user)
    return _to_review(review)


@require_safe
@requires(Right.REVIEW)
@journals(Verb.DOCUMENT_VIEWED)
def second_detail(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """The page as the first reviewer found it. `?finding=` chooses the current finding."""
    user = person(request)
    review = get_or_404(second_queries.reviews(user), review_id, by=user)
    check_can_answer(review, user)
    check_page(user, review.document, review.page)
    items = second_queries.items(review)
    sheet = queries.page_as_read(review.run, review.page)
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="second_review", object_id=review.pk,
                 document_id=review.document_id, page=review.page, count=len(items),
                 details=shown_blind({review.page}))  # fmt: skip
    return render(
        request,
        "review/second_detail.html",
        {
            "second": review,
            "document": review.document,
            "run": review.run,
            "page": second_queries.summary(review, items),
            "sheet_size": queries.sheet_size(sheet),
            "page_warnings": queries.page_warnings(sheet),
            "items": items,
            "hints": queries.hints(review.run, review.page, items),
            "current": current_item(request, items),
            "can_finish": allows(check_can_finish, review, user),
            "add_form": AddForm(),
            "reasons": Reason.choices,
            "outbox_key": outbox.key(user),
        },
    )


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.SECOND_DECIDED)
def decide(request: HttpRequest, review_id: UUID, finding_id: UUID) -> HttpResponse:
    """As the first reviewer decides: `verdict` is confirm, correct or reject."""
    user = person(request)
    review = get_or_404(second_queries.reviews(user), review_id, by=user)
    finding = get_or_404(queries.findings(user), finding_id, by=user)
    form = verdict_form(request.POST, finding)
    if not form.is_valid():
        return _refuse(request, form, review)
    value, reason = form.said
    second_review.decide(
        review=review,
        finding=finding,
        value=value,
        reason=reason,
        decision_id=uuid_or_none(request.POST.get("decision", "")),
        by=user,
    )
    return outbox.written(request, _to_review(review))


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.SECOND_DECIDED)
def add(request: HttpRequest, review_id: UUID) -> HttpResponse:
    user = person(request)
    review = get_or_404(second_queries.reviews(user), review_id, by=user)
    form = AddForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form, review)
    second_review.add(
        review=review,
        value=form.typed,
        box=form.cleaned_data["box"],
        decision_id=uuid_or_none(request.POST.get("decision", "")),
        by=user,
    )
    return outbox.written(request, _to_review(review), _("Number added."))


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.SECOND_UNDONE)
def undo(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    user = person(request)
    decision = get_or_404(second_queries.decisions(user), decision_id, by=user)
    second_review.undo(decision=decision, by=user)
    return outbox.written(request, _to_review(decision.review))


@require_POST
@requires(Right.REVIEW)
@journals(Verb.SECOND_FINISHED)
def finish(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Compares with the first review, and says nothing of what came out: it might be read as the first answers."""
    user = person(request)
    review = get_or_404(second_queries.reviews(user), review_id, by=user)
    second_review.finish(review=review, by=user)
    messages.success(request, _("Second review finished. Thank you."))
    return redirect("review:second-list")


@require_safe
@requires(Right.REVIEW)
@journals(Verb.DOCUMENT_VIEWED)
def disagreement_detail(request: HttpRequest, disagreement_id: UUID) -> HttpResponse:
    """Both answers without names, the print they are about, and a form for a third one."""
    return _disagreement(request, disagreement_id, None)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.DISAGREEMENT_SETTLED, Verb.DOCUMENT_VIEWED)
def settle(request: HttpRequest, disagreement_id: UUID) -> HttpResponse:
    """`answer` is a, b, other (with nam, visit_date, visit_time) or none (with reason, of a proposal)."""
    user = person(request)
    disagreement = get_or_404(second_queries.disagreements(user), disagreement_id, by=user)
    check_can_settle(disagreement, user)
    form = ChoiceForm(request.POST, is_addition=disagreement.finding is None)
    if not form.is_valid():
        return _disagreement(request, disagreement_id, form)
    letter = form.cleaned_data["answer"]
    chosen = second_queries.answers(disagreement)
    value, reason = _repeated(chosen[letter]) if letter in chosen else form.said
    second_review.settle(disagreement=disagreement, value=value, reason=reason, by=user)
    messages.success(request, _("Settled: this is what counts from now on."))
    following = second_queries.to_settle(user).first()
    return redirect("review:disagreement", following.pk) if following else redirect("review:second-list")


def _disagreement(request: HttpRequest, disagreement_id: UUID, wrong: ChoiceForm | None) -> HttpResponse:
    user = person(request)
    disagreement = get_or_404(second_queries.disagreements(user), disagreement_id, by=user)
    check_can_settle(disagreement, user)
    review = disagreement.review
    check_page(user, review.document, review.page)
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="disagreement", object_id=disagreement.pk,
                 document_id=review.document_id, page=review.page, count=1)  # fmt: skip
    is_addition = disagreement.finding is None
    context = {
        "disagreement": disagreement,
        "document": review.document,
        "page": {"number": review.page},
        "sheet_size": queries.sheet_size(queries.page_as_read(review.run, review.page)),
        "choices": second_queries.choices(disagreement),
        "form": wrong or ChoiceForm(is_addition=is_addition),
        "is_addition": is_addition,
    }
    return render(request, "review/disagreement.html", context, status=400 if wrong else 200)


def _repeated(answer: Answer | None) -> tuple[Value | None, str]:
    """One of the two answers, as an action takes it."""
    if answer is None or answer.value is None:
        return None, answer.reason if answer is not None else ""
    return Value.of(answer), ""


def _refuse(request: HttpRequest, form: forms.Form, review: SecondReview) -> HttpResponse:
    return outbox.refused(request, _to_review(review), form)


def _to_review(review: SecondReview) -> HttpResponse:
    return redirect("review:second-detail", review.pk)
