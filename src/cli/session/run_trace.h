// Joins what each step did with its files into the way of each image of the input.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/report/report_page.h"
#include "page_thumbnail.h"

namespace imgmill {

class RunTrace {
 public:
  /// @param page_file  where the page will lie: links are relative to its folder.
  explicit RunTrace(const std::string& page_file);

  /// A step has ended. The first one brings the images, later ones are about files that earlier ones kept or
  /// wrote.
  void Add(const std::string& step, const CommandResult& result);

  /// Steps and images, with thumbnails of the first ones.
  void Fill(ReportPage& page, PageThumbnails& thumbnails);

 private:
  std::string LinkTo(const std::string& path) const;

  std::string folder_;  ///< of the page, absolute
  std::vector<PageStep> steps_;
  std::vector<PageImage> images_;
  std::vector<std::string> paths_;                 ///< of the images, as bytes
  std::unordered_map<std::string, size_t> owner_;  ///< file that the next step may meet: its image
  uint64_t not_shown_ = 0;
};

}  // namespace imgmill
