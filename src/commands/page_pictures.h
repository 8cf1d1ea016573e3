// Small pictures for a page, made by a run of the engine: parallel, and within the budget.
#pragma once

#include <cstdint>
#include <string>

#include "imgmill/commands/command.h"

namespace imgmill {

struct PagePicture {
  int64_t width = 0, height = 0;  ///< of the image, upright; 0 where there is no picture
  std::string jpeg;               ///< empty where there is none
};

/// After files were acted on: that the page could not be written ends the run, but what was done is still
/// told.
void TellUnwrittenPage(const Error& error, const CommandServices& services, CommandResult& result);

/// Kept in the catalog as facts of the images' contents, so that no later page has to decode them
/// again.
class PagePictures {
 public:
  /// @param count  how many the page will have: the more, the smaller they are, since all are in its file
  PagePictures(uint64_t count, const CommandServices& services);

  /// An image that cannot be read has none: a page without a picture is a page. Nothing is done for
  /// `result.counts.interrupted`, and it is set where the run is stopped.
  Status Make(const FileTable& files, CommandResult& result) const;

  PagePicture Of(const ContentDigest& content) const;
  /// Of the file as Make has found it.
  PagePicture OfFile(const std::string& path) const;

 private:
  class Making;

  const CommandServices& services_;
  const int64_t long_side_;
  const std::string fact_;
};

}  // namespace imgmill
