// Follows files from step to step by their paths.
#include "run_trace.h"

#include <algorithm>

#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

constexpr size_t kReasonsShown = 3;

void Count(const ItemVerdict& verdict, StepVerdict& stop) {
  switch (verdict.end) {
    case ItemVerdict::End::kKept:
      ++stop.kept;
      break;
    case ItemVerdict::End::kDropped:
      ++stop.dropped;
      break;
    case ItemVerdict::End::kFailed:
      ++stop.failed;
      break;
  }
  const bool known = std::find(stop.reasons.begin(), stop.reasons.end(), verdict.why) != stop.reasons.end();
  if (!verdict.why.empty() && !known && stop.reasons.size() < kReasonsShown)
    stop.reasons.push_back(verdict.why);
}

}  // namespace

RunTrace::RunTrace(const std::string& page_file) : folder_(FolderOfPage(page_file)) {}

std::string RunTrace::LinkTo(const std::string& path) const {
  return LinkFrom(folder_, path);
}

void RunTrace::Add(const std::string& step, const CommandResult& result) {
  const bool first = steps_.empty();
  steps_.push_back({step, result.counts.listed, result.counts.listed - result.dropped - result.counts.failed,
                    result.dropped, result.counts.failed, result.summary});
  std::unordered_map<std::string, size_t> owner;
  for (const ItemVerdict& verdict : result.verdicts) {
    size_t image = images_.size();
    if (first) {
      images_.push_back({PrintablePath(verdict.path), LinkTo(verdict.path), "", {}});
      paths_.push_back(verdict.path);
    } else {
      const auto known = owner_.find(verdict.path);
      if (known == owner_.end()) continue;  // made of an image that is not shown
      image = known->second;
    }
    std::vector<StepVerdict>& way = images_[image].way;
    if (way.size() < steps_.size()) way.resize(steps_.size());
    StepVerdict& stop = way.back();
    stop.step = step;
    Count(verdict, stop);
    for (const std::string& output : verdict.outputs) {
      stop.outputs.push_back(LinkTo(output));
      owner[output] = image;
    }
    const std::string& now_at = verdict.moved_to.empty() ? verdict.path : verdict.moved_to;
    if (now_at != verdict.path && paths_[image] == verdict.path) {
      paths_[image] = now_at;
      images_[image].link = LinkTo(now_at);
    }
    if (verdict.outputs.empty() && verdict.end == ItemVerdict::End::kKept) owner[now_at] = image;
  }
  if (first) not_shown_ = result.counts.listed - std::min<uint64_t>(result.counts.listed, images_.size());
  owner_ = std::move(owner);
}

void RunTrace::Fill(ReportPage& page, PageThumbnails& thumbnails) {
  for (size_t i = 0; i < std::min(images_.size(), PageThumbnails::kImages); ++i) {
    images_[i].thumbnail = thumbnails.Of(paths_[i]);
  }
  page.steps = std::move(steps_);
  page.images = std::move(images_);
  page.not_shown = not_shown_;
}

}  // namespace imgmill
