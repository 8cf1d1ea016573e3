// Plans of all operations for one item, which of them share its rows, and who is given it next.
#include "job.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Rows that the operation reads as they are, without some that would be shown twice.
bool TakesPlainRows(const ItemPlan& plan) {
  return plan.needs_pixels && !plan.own_reader && plan.regions.overlap == 0;
}

bool ReadAlike(const ImageHeader& header, const Part& a, const Part& b) {
  return a.plan && b.plan && TakesPlainRows(*a.plan) && TakesPlainRows(*b.plan) &&
         SamePixels(header, a.plan->reading, b.plan->reading);
}

/// Before advice about memory is given for it, a file that cannot hold its pixels is told as one.
Result<ItemPlan> PlanOf(const Operation& operation, const Item& item) {
  Result<ItemPlan> plan = operation.Plan(item);
  if (!plan || !plan->needs_pixels) return plan;
  const Status may =
      ForEachFile(item, [&](const SourceFile& file) { return MayHoldPixels(file.header, plan->reading); });
  if (!may) return may.error();
  return plan;
}

}  // namespace

Job::Job(uint64_t number, ListedFile file, std::span<Operation* const> operations)
    : index(number), parts(operations.size()) {
  item.file = std::move(file);
  for (size_t i = 0; i < parts.size(); ++i) parts[i].operation = operations[i];
}

void Job::MakePlans(bool notes_facts) {
  bool judged = true;  // by those before
  for (size_t i = next; i < parts.size();) {
    Part& part = parts[i];
    if (!judged && (!notes_facts || !part.operation->traits().leaves_only_facts)) {
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    Result<ItemPlan> plan = PlanOf(*part.operation, item);
    if (plan) part.plan = *std::move(plan);
    if (!plan) part.refused = plan.error();
    part.reading = next;
    while (part.reading < i && !ReadAlike(item.main.header, parts[part.reading], part)) ++part.reading;
    if (!judged && part.reading == i) {  // nothing is decoded for facts that nobody may ask for
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    judged = judged && !part.operation->traits().judges_after_reduce;
    ++i;
  }
}

Footprint Job::NeedTogether(const RowObserver* observer) const {
  Footprint work;
  Footprint reading;  // one decode at a time
  for (size_t i = next; i < parts.size(); ++i) {
    if (!parts[i].plan) continue;
    const ItemPlan& plan = *parts[i].plan;
    work = work + plan.work;
    if (!plan.needs_pixels) continue;
    Footprint own = plan.decode + RegionFootprint(plan.input, plan.regions);
    if (observer != nullptr) own = own + observer->Cost(item, plan.reading, plan.input);
    reading = Larger(reading, own);
  }
  return work + reading;
}

std::vector<Operation*> Job::OperationsLeft() const {
  std::vector<Operation*> left;
  for (size_t i = next; i < parts.size(); ++i) left.push_back(parts[i].operation);
  return left;
}

Verdict Job::Pass() {
  const bool failed = part().outcome.state == Outcome::State::kFailed;  // in part: some of its frames
  over = failed || next + 1 == parts.size();
  if (over) return Verdict::kKeep;
  const Verdict verdict = part().operation->Judge(part().outcome);
  over = verdict != Verdict::kKeep;
  if (!over) ++next;
  return verdict;
}

void Job::Fail(const Error& error) {
  Outcome& outcome = part().outcome;
  outcome.state = Outcome::State::kFailed;
  outcome.error = error;
  outcome.payload.reset();
  outcome.outputs.clear();
  over = true;
}

void Job::CutShort() {
  over = cut_short = true;
}

std::vector<Outcome> Job::TakeOutcomes() {
  std::vector<Outcome> outcomes;
  const size_t ended = cut_short ? next : next + 1;
  for (size_t i = 0; i < ended; ++i) {
    outcomes.push_back(std::move(parts[i].outcome));
    outcomes.back().file = item.file;
  }
  return outcomes;
}

}  // namespace imgmill
