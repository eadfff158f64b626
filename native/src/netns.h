// SPDX-License-Identifier: Apache-2.0
// Work inside another network namespace, on a thread that ends with it.
#pragma once

#include <functional>
#include <string>

namespace kerngate {

// Runs `work` on a thread of its own in the network namespace that `path` names, and waits for its end. Answers 0,
// what `work` answered, or the errno of entering. No thread that lives on ever changes its namespace.
int RunInNetns(const std::string& path, const std::function<int()>& work);

}  // namespace kerngate
