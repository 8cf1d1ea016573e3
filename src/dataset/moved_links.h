// Symbolic links that were moved, and the files that they lead to: where these are moved, too, the links are
// led to them again.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace imgmill {

class MovedLinks {
 public:
  /// A link with this text was moved from `path` to `target`; both are absolute.
  void AddLink(const std::string& path, const std::string& text, const std::string& target);
  /// A file, or a link, was moved. Links to it are moved before it is.
  void AddMove(const std::string& path, const std::string& target);
  /// Leads the links to where their files are now. One that cannot be replaced stays as it is: it leads to
  /// where its file has been.
  void LeadAgain();

 private:
  std::map<std::string, std::vector<std::string>> leading_to_;  ///< links by what they lead to
  std::vector<std::pair<std::string, std::string>> again_;      ///< a link, and where its file went
};

}  // namespace imgmill
