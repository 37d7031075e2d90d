import pytest
import torch

from irl_core.learning.toy.adversarial_run import (
    AdversarialRun,
    Critic,
    Demonstrations,
    ExactCritic,
    Method,
    counted_tokens,
)
from irl_core.learning.toy.exact_world import EOS, EXPERT, NOVICE, PAD, ExactWorld
from irl_core.learning.toy.figures import (
    correlation,
    first_wrong_step,
    localisation,
    most_suspect_step,
    over_seeds,
    right_over_style,
    solved,
    true_rewards,
)
from irl_core.learning.toy.models import (
    completion_logits,
    completion_mask,
    completion_values,
    entropies,
    learn_by_likelihood,
    nano_critic,
    nano_llama,
    sample,
    token_logprobs,
)

WORLD = ExactWorld(modulus=4, steps=1, largest_constant=3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def policy():
    return nano_llama(len(WORLD.words), hidden=32, layers=2, seed=0)


@pytest.fixture
def demonstrations():
    problems = WORLD.problems(64, generator())
    return Demonstrations(problems, WORLD.sample(EXPERT, problems, generator()))


def ids(text):
    return torch.tensor([[WORLD.words.index(word) for word in text.split()]])


def weights(model):
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


def test_what_follows_an_end_token_is_padding_that_does_not_count():
    completions = torch.tensor([[5, 6, EOS, PAD], [5, EOS, PAD, PAD], [5, PAD, 6, 7]])
    assert completion_mask(completions).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]]
    assert counted_tokens(completions).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]]


def test_samples_follow_the_policy_and_their_seed(policy):
    prompts = ids("3 + 2 ?").expand(4000, -1)
    drawn = sample(policy, prompts, 3, generator())
    assert torch.equal(drawn, sample(policy, prompts, 3, generator()))
    ended = drawn[:, 0] == EOS
    assert ended.any()
    assert (drawn[ended][:, 1:] == PAD).all()
    first = completion_logits(policy, prompts[:1], drawn[:1])[0, 0].softmax(-1)
    assert torch.bincount(drawn[:, 0], minlength=len(first)) / 4000 == pytest.approx(first.detach(), abs=0.015)


def test_a_token_s_log_probability_and_entropy_are_those_of_the_softmax():
    logits = torch.log(torch.tensor([[[0.5, 0.25, 0.25]]]))
    assert token_logprobs(logits, torch.tensor([[1]])).item() == pytest.approx(-1.3863, abs=1e-4)
    assert entropies(logits).item() == pytest.approx(1.0397, abs=1e-4)


def test_values_are_counted_from_the_prompt_and_do_not_see_the_future(policy):
    critic, prompts = nano_critic(policy), ids("3 + 2 ?")
    one, other = ids("so 3 + 2 = 1"), ids("so 3 + 2 = 2")
    first, second = completion_values(critic, prompts, one), completion_values(critic, prompts, other)
    torch.testing.assert_close(first[:, :5], second[:, :5])
    assert first[0, 5] != second[0, 5]
    raw = critic(torch.cat([prompts, one], 1)).logits[0, :, 0]
    torch.testing.assert_close(first[0], raw[4:] - raw[3])


def test_fine_tuning_makes_expert_solutions_likelier_and_stops_when_it_is_told(policy, demonstrations):
    losses = learn_by_likelihood(policy, iter([demonstrations] * 30), lr=5e-3, steps=30, watch=lambda step: step == 19)
    assert len(losses) == 20
    assert losses[-1] < 0.7 * losses[0]


def test_a_log_ratio_starts_at_zero_and_learns_to_tell_experts_from_novices(policy, demonstrations):
    method = Method("x", reward_form="log_ratio", disc_learning_rate=3e-3, steps=40)
    critic = Critic(policy, method)
    assert critic.rewards(*demonstrations).abs().max() == 0
    novices = Demonstrations(demonstrations.prompts, WORLD.sample(NOVICE, demonstrations.prompts, generator(1)))
    figures = [critic.learn(demonstrations, novices) for _ in range(40)]
    assert figures[0]["disc_loss"] == pytest.approx(0.6931, abs=1e-4)
    assert figures[-1]["disc_loss"] < 0.6


@pytest.mark.parametrize("form", ["level", "difference", "log_ratio", "log_prob"])
def test_a_policy_moves_only_once_its_critic_is_warm(policy, demonstrations, form):
    method = Method("x", reward_form=form, disc_warmup_steps=2, steps=2, prompts_per_step=4, num_generations=2)
    run = AdversarialRun(WORLD, policy, demonstrations, method, generator())
    before, critic = weights(policy), weights(run.critic.model)
    figures = [run.step() for _ in range(2)]
    assert torch.equal(before, weights(policy))
    assert not torch.equal(critic, weights(run.critic.model))
    figures.append(run.step())
    assert not torch.equal(before, weights(policy))
    assert "entropy" in figures[2]


def test_a_frozen_critic_stays_what_it_was(policy, demonstrations):
    method = Method("x", reward_form="log_prob", disc_updates=0, steps=2, prompts_per_step=4, num_generations=2)
    run = AdversarialRun(WORLD, policy, demonstrations, method, generator())
    before = weights(run.critic.model)
    run.step()
    assert torch.equal(before, weights(run.critic.model))


def test_right_answers_as_reward_teach_right_answers(policy, demonstrations):
    learn_by_likelihood(policy, iter([demonstrations] * 60), lr=5e-3, steps=60)
    method = Method("x", outcome=True, learning_rate=3e-3, steps=25, prompts_per_step=8, num_generations=8)
    run = AdversarialRun(WORLD, policy, demonstrations, method, generator())
    figures = [run.step()["correct"] for _ in range(25)]
    assert sum(figures[-5:]) > sum(figures[:5]) + 0.5


def test_the_exact_critic_pays_the_true_log_ratio_and_as_level_its_running_sum(policy, demonstrations):
    local = ExactCritic(WORLD, policy, Method("x")).rewards(*demonstrations)
    level = ExactCritic(WORLD, policy, Method("x", reward_form="level")).rewards(*demonstrations)
    where = counted_tokens(demonstrations.solutions)
    torch.testing.assert_close(local[where], true_rewards(WORLD, policy, *demonstrations)[where])
    torch.testing.assert_close(level[where], local.cumsum(1)[where])


def test_the_first_wrong_step_is_found_where_the_lowest_reward_is():
    world = ExactWorld()
    words = "so 3 + 4 = 7 then 2 * 7 = 5 so 5 - 5 = 0 answer 1 <eos>".split()
    problem = torch.tensor([[world.words.index(w) for w in "3 + 4 * 2 - 5 ?".split()]])
    solution = torch.tensor([[world.words.index(w) for w in words]])
    assert first_wrong_step(world, problem, solution).tolist() == [1]
    rewards = torch.zeros(1, 21)
    rewards[0, 2], rewards[0, 11], rewards[0, 19] = -1.0, -2.0, -0.5
    assert most_suspect_step(rewards).tolist() == [1]
    assert localisation(world, rewards, problem, solution) == 1.0
    rewards[0, 6] = 1.5
    assert most_suspect_step(rewards).tolist() == [0]
    assert localisation(world, rewards, problem, solution) == 0.0


def test_right_over_style_compares_other_connectives_with_a_wrong_result():
    world = ExactWorld()
    problem = torch.tensor([[world.words.index(w) for w in "3 + 4 * 2 - 5 ?".split()]])
    words = "so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>".split()
    solution = torch.tensor([[world.words.index(w) for w in words]])
    seen = []

    def rewards(problems, solutions):
        seen.append(world.text(solutions[0].tolist()))
        return -1.0 * (solutions != solution)

    assert right_over_style(world, rewards, problem, solution) == 0.0
    assert seen == [
        "thus 3 + 4 = 7 thus 2 * 7 = 4 thus 4 - 5 = 9 answer 9 <eos>",
        "so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 5 = 0 answer 0 <eos>",
    ]


def test_without_a_generator_the_likeliest_tokens_are_written(policy):
    prompts = ids("3 + 2 ?")
    greedy = sample(policy, prompts, 2, None)
    assert greedy[0, 0] == completion_logits(policy, prompts, greedy)[0, 0].argmax()


def test_figures_over_seeds_carry_student_s_interval():
    assert over_seeds([1.0, 2.0, 3.0]) == pytest.approx(
        {"value": 2.0, "low": -0.4841, "high": 4.4841, "n": 3}, abs=1e-4
    )
    assert over_seeds([0.4]) == {"value": 0.4, "low": 0.4, "high": 0.4, "n": 1}


def test_correlation_is_pearson_s_and_zero_without_variance():
    a = torch.tensor([1.0, 2.0, 4.0])
    assert correlation(a, -2 * a) == pytest.approx(-1.0)
    assert correlation(a, torch.tensor([1.0, 3.0, 2.0])) == pytest.approx(0.3273, abs=1e-4)
    assert correlation(a, torch.ones(3)) == 0.0


def test_solved_counts_the_right_answers_of_each_problem(policy):
    problems = torch.cat([ids("3 + 2 ?"), ids("3 - 1 ?"), ids("2 * 2 ?")])
    learn_by_likelihood(
        policy,
        iter([Demonstrations(problems[:1], ids("so 3 + 2 = 1 answer 1 <eos>"))] * 150),
        lr=1e-2,
        steps=150,
    )
    assert solved(WORLD, policy, problems, 8, generator()) == pytest.approx([8, 0, 0], abs=1)


@pytest.mark.slow
def test_the_learned_log_ratio_of_each_token_correlates_with_the_true_one():
    world, draws = ExactWorld(modulus=4, steps=1, largest_constant=3), generator()

    def batches(writer, size):
        while True:
            problems = world.problems(size, draws)
            yield Demonstrations(problems, world.sample(writer, problems, draws))

    policy = nano_llama(len(world.words), hidden=64, layers=2, seed=0)
    learn_by_likelihood(policy, batches(NOVICE, 384), lr=6e-3, steps=120)
    method = Method("x", reward_form="log_ratio", disc_learning_rate=5e-3, steps=360)
    critic = Critic(policy, method)
    for _, experts, novices in zip(range(360), batches(EXPERT, 192), batches(NOVICE, 192), strict=False):
        critic.learn(experts, novices)
    both = [torch.cat(parts) for parts in zip(next(batches(EXPERT, 1000)), next(batches(NOVICE, 1000)), strict=True)]
    with torch.no_grad():
        learned = critic.rewards(*both)
    where, true = counted_tokens(both[1]), world.log_ratio(EXPERT, NOVICE, *both)
    local, level = (correlation(r[where], true[where]) for r in (learned, learned.cumsum(1)))
    print(f"log_ratio {local:.3f}, the level that sums it up {level:.3f}")
    assert local >= 0.95
    assert level < 0.6
